"""A signature is worth what its key was worth when it was made, and that time needs a proof by others."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, dsse, signing
from compliance.evidence.bundle import BundleContents
from compliance.evidence.errors import ExitCode, KeyValidityError
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.evidence.verify import verify_bundle

from .edits import code_of
from .export_story import policy_of, trust_of
from .ledgers import Cosigner, Ledger
from .stamping import Authority, new_authority
from .story import START, STEPS, Part, Story, new_signer

LONG_AGO, SOON = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def trusting(story: Story, *keys: EvidenceKey) -> Trust:
    return dataclasses.replace(trust_of(story.ledger), evidence_keys=keys)


def key_of(signer: signing.EvidenceSigner, **times: datetime) -> EvidenceKey:
    return EvidenceKey.of(signer.public_key, **times)


# --- Without proof of the time --------------------------------------------------------------------------------------


UNPROVEN: dict[str, tuple[dict[str, datetime], ExitCode]] = {
    "for ever": ({}, ExitCode.VERIFIED),
    "from before the request": ({"valid_from": LONG_AGO}, ExitCode.VERIFIED),
    "retired long ago": ({"valid_until": LONG_AGO, "valid_from": LONG_AGO}, ExitCode.KEY_NOT_VALID),
    "retired when the request came": ({"valid_until": START}, ExitCode.KEY_NOT_VALID),
    "retired after the request": ({"valid_until": START + timedelta(days=30)}, ExitCode.VERIFIED),
    "retired in the future": ({"valid_until": SOON}, ExitCode.VERIFIED),
    "published after the last event before it": ({"valid_from": START + timedelta(days=1)}, ExitCode.VERIFIED),
    "distrusted long ago": ({"distrusted_from": LONG_AGO}, ExitCode.KEY_NOT_VALID),
    "distrusted after the request": ({"distrusted_from": START + timedelta(days=30)}, ExitCode.KEY_NOT_VALID),
    "distrusted in the future": ({"distrusted_from": SOON}, ExitCode.KEY_NOT_VALID),
    "retired and distrusted": ({"valid_until": SOON, "distrusted_from": SOON}, ExitCode.KEY_NOT_VALID),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_without_a_time_stamp_a_key_counts_while_nothing_ends_it(
    name: str, story: Story, genuine: bytes, signer: signing.EvidenceSigner
) -> None:
    """The ledger's clock is enough for a key that was retired in due course, and never for one that is distrusted."""
    times, code = UNPROVEN[name]
    assert code_of(genuine, trust=trusting(story, key_of(signer, **times))) is code


def test_a_key_that_is_not_in_the_trust_file_is_refused(story: Story, genuine: bytes) -> None:
    other = new_signer()
    assert code_of(genuine, trust=trusting(story, key_of(other))) is ExitCode.EVIDENCE_KEY
    assert code_of(genuine, trust=trusting(story)) is ExitCode.EVIDENCE_KEY


class RotatingStory(Story):
    """The summaries are signed with another key than the evidence."""

    later: signing.EvidenceSigner

    def summarise(self, part: Part) -> None:
        first, self.signer = self.signer, self.later
        super().summarise(part)
        self.signer = first


def rotated(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, later: signing.EvidenceSigner) -> Story:
    kind = type("Rotated", (RotatingStory,), {"later": later})
    story: Story = kind(log_key=log_key, signer=signer)
    return story


def test_the_key_of_a_summary_must_be_valid_too(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    later = new_signer()
    story = rotated(log_key, signer, later)
    data = bundle.write(story.contents())
    both = trusting(story, key_of(signer), key_of(later))
    assert code_of(data, trust=both) is ExitCode.VERIFIED
    assert verify_bundle(data, trust=both).evidence_key_sha256s == tuple(sorted([signer.keyid, later.keyid]))
    assert code_of(data, trust=trusting(story, key_of(signer))) is ExitCode.EVIDENCE_KEY
    retired = trusting(story, key_of(signer), key_of(later, valid_until=START))
    assert code_of(data, trust=retired) is ExitCode.KEY_NOT_VALID
    assert (
        code_of(data, trust=trusting(story, key_of(signer, valid_until=START), key_of(later))) is ExitCode.KEY_NOT_VALID
    )


def test_a_request_without_evidence_needs_no_key(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    story = Story(log_key=log_key, signer=signer, ledger=Ledger(log_key), steps=STEPS[:5])
    assert code_of(bundle.write(story.contents()), trust=trusting(story)) is ExitCode.VERIFIED


# --- With proof of the time: the rule itself ------------------------------------------------------------------------

FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = {"valid_from": FROM, "valid_until": UNTIL}
PROVEN: dict[str, tuple[dict[str, datetime], datetime | None, bool, bool]] = {
    "a second before it began": (WINDOW, FROM - SECOND, True, False),
    "the second in which it began": (WINDOW, FROM, True, True),
    "the last second": (WINDOW, UNTIL - SECOND, True, True),
    "the second in which it ended": (WINDOW, UNTIL, True, False),
    "within, but nobody attests it": (WINDOW, UNTIL - SECOND, False, False),
    "within, but no time at all": (WINDOW, None, True, False),
    "no end, not proven": ({"valid_from": FROM}, FROM, False, True),
    "no end, too early": ({"valid_from": FROM}, FROM - SECOND, True, False),
    "distrusted from that second": ({"distrusted_from": UNTIL}, UNTIL, True, False),
    "distrusted a second later": ({"distrusted_from": UNTIL}, UNTIL - SECOND, True, True),
    "distrusted within its window": ({**WINDOW, "distrusted_from": FROM + SECOND}, FROM + 2 * SECOND, True, False),
    "retired within, before the distrust": ({**WINDOW, "distrusted_from": SOON}, UNTIL, True, False),
}


@pytest.mark.parametrize("name", PROVEN)
def test_a_proven_time_must_lie_within_the_life_of_the_key(name: str, signer: signing.EvidenceSigner) -> None:
    times, at, is_proven, is_valid = PROVEN[name]
    key = key_of(signer, **times)
    if is_valid:
        key.refuse_invalid(at, is_proven=is_proven)
        return
    with pytest.raises(KeyValidityError, match=key.key_sha256):
        key.refuse_invalid(at, is_proven=is_proven)


# --- With proof of the time: tokens of a real authority -------------------------------------------------------------

SIGNED_AT = datetime(2026, 5, 1, 13, tzinfo=UTC)
SEEN_AT = datetime(2026, 5, 2, tzinfo=UTC)
LATER = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


def stamped(contents: BundleContents, stamp: Callable[[bytes], tuple[bytes, ...]]) -> BundleContents:
    """The contents with these tokens for the signature of each envelope."""

    def with_tokens(attached: AttachedEvidence) -> AttachedEvidence:
        return dataclasses.replace(attached, timestamps=stamp(dsse.parse_envelope(attached.envelope).signature))

    return dataclasses.replace(
        contents,
        evidence=tuple(map(with_tokens, contents.evidence)),
        closings=tuple(map(with_tokens, contents.closings)),
    )


def asking(trusted: Trust, *authorities: Authority) -> Trust:
    return dataclasses.replace(trusted, timestamp_authorities=tuple(each.pems for each in authorities))


# What the trust file says of the key, when the signatures were stamped, when the log was cosigned (None: by nobody).
STAMPED: dict[str, tuple[dict[str, datetime], datetime, datetime | None, ExitCode]] = {
    "no end": ({}, SIGNED_AT, None, ExitCode.VERIFIED),
    "stamped within the tolerance before": ({}, START - timedelta(minutes=3), None, ExitCode.VERIFIED),
    "stamped before the entry that it follows": ({}, START - timedelta(minutes=5), None, ExitCode.TIMESTAMP),
    "cosigned before the entries were written": (
        {},
        SIGNED_AT,
        START - timedelta(minutes=5),
        ExitCode.TIMESTAMP,
    ),
    "retired since": ({"valid_until": LATER}, SIGNED_AT, None, ExitCode.VERIFIED),
    "retired at that second": ({"valid_until": SIGNED_AT}, SIGNED_AT, None, ExitCode.KEY_NOT_VALID),
    "retired before": ({"valid_until": SIGNED_AT - SECOND}, SIGNED_AT, None, ExitCode.KEY_NOT_VALID),
    "valid from then on": ({"valid_from": SIGNED_AT}, SIGNED_AT, None, ExitCode.VERIFIED),
    "not valid yet": ({"valid_from": SIGNED_AT + SECOND}, SIGNED_AT, None, ExitCode.KEY_NOT_VALID),
    "distrusted since, stamped and cosigned before": (
        {"distrusted_from": LATER},
        SIGNED_AT,
        SEEN_AT,
        ExitCode.VERIFIED,
    ),
    "distrusted since, cosigned by nobody": ({"distrusted_from": LATER}, SIGNED_AT, None, ExitCode.KEY_NOT_VALID),
    "distrusted since, cosigned after": (
        {"distrusted_from": LATER},
        SIGNED_AT,
        LATER + SECOND,
        ExitCode.KEY_NOT_VALID,
    ),
    "distrusted since, cosigned at that second": ({"distrusted_from": LATER}, SIGNED_AT, LATER, ExitCode.KEY_NOT_VALID),
    "distrusted before, cosigned before": ({"distrusted_from": SEEN_AT}, SEEN_AT, SIGNED_AT, ExitCode.KEY_NOT_VALID),
    "retired since, then distrusted, stamped and cosigned before": (
        {"valid_until": SEEN_AT + SECOND, "distrusted_from": LATER},
        SIGNED_AT,
        SEEN_AT,
        ExitCode.VERIFIED,
    ),
}


@pytest.mark.parametrize("name", STAMPED)
def test_a_stamped_signature_counts_as_its_key_did_then(
    name: str, authority: Authority, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """A thief can have old bytes stamped, but cannot put them under a head that others cosigned before the theft."""
    times, stamped_at, seen_at, code = STAMPED[name]
    cosigners = [] if seen_at is None else [Cosigner("witness.example", at=seen_at)]
    story = Story(log_key=log_key, signer=signer, ledger=Ledger(log_key, cosigners))
    trusted = asking(trusting(story, key_of(signer, **times)), authority)
    if cosigners:
        trusted = dataclasses.replace(trusted, witness_policy_text=policy_of(cosigners, 1))
    contents = stamped(story.contents(), lambda signature: (authority.stamp(signature, stamped_at),))
    assert code_of(bundle.write(contents), trust=trusted) is code


def test_the_report_says_from_when_on_signatures_are_stamped(
    authority: Authority, story: Story, signer: signing.EvidenceSigner
) -> None:
    contents = stamped(story.contents(), lambda signature: (authority.stamp(signature, SIGNED_AT),))
    report = verify_bundle(bundle.write(contents), trust=asking(trusting(story, key_of(signer)), authority))
    assert "A trusted authority stamped 4 signatures, from 2026-05-01 13:00:00 UTC on." in report.conclusions
    assert report.steps[7].detail == "4 proven times"


Tokens = Callable[[Authority, bytes], tuple[bytes, ...]]
TOKENS: dict[str, tuple[Tokens, ExitCode]] = {
    "none": (lambda authority, signature: (), ExitCode.TIMESTAMP),
    "no token": (lambda authority, signature: (b"token",), ExitCode.TIMESTAMP),
    "of another authority": (lambda authority, signature: (new_authority().stamp(signature),), ExitCode.TIMESTAMP),
    "of other bytes": (lambda authority, signature: (authority.stamp(signature + b"x"),), ExitCode.TIMESTAMP),
    "a good one and a bad one": (
        lambda authority, signature: (authority.stamp(signature), b"token"),
        ExitCode.TIMESTAMP,
    ),
    "two, of which the earlier is in time": (
        lambda authority, signature: (authority.stamp(signature, LATER), authority.stamp(signature, SIGNED_AT)),
        ExitCode.VERIFIED,
    ),
    "two that are too late": (
        lambda authority, signature: (authority.stamp(signature, LATER), authority.stamp(signature, LATER)),
        ExitCode.KEY_NOT_VALID,
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_trust_file_with_an_authority_asks_for_its_tokens(
    name: str, authority: Authority, story: Story, signer: signing.EvidenceSigner
) -> None:
    tokens, code = TOKENS[name]
    data = bundle.write(stamped(story.contents(), lambda signature: tokens(authority, signature)))
    trusted = trusting(story, key_of(signer, valid_until=LATER))
    assert code_of(data, trust=asking(trusted, authority)) is code
    # Whoever trusts no authority learns nothing from a token.
    assert code_of(data, trust=trusting(story, key_of(signer))) is ExitCode.VERIFIED


def test_any_of_several_authorities_may_have_stamped(
    authority: Authority, story: Story, signer: signing.EvidenceSigner
) -> None:
    data = bundle.write(stamped(story.contents(), lambda signature: (authority.stamp(signature),)))
    trusted = trusting(story, key_of(signer))
    for authorities in ((authority, new_authority()), (new_authority(), authority)):
        assert code_of(data, trust=asking(trusted, *authorities)) is ExitCode.VERIFIED
    assert code_of(data, trust=asking(trusted, new_authority(), new_authority())) is ExitCode.TIMESTAMP


@pytest.mark.parametrize("part", ["evidence", "closings"])
def test_statements_and_summaries_both_need_a_token(
    part: str, authority: Authority, story: Story, signer: signing.EvidenceSigner
) -> None:
    genuine = story.contents()
    contents = stamped(genuine, lambda signature: (authority.stamp(signature),))
    bare = dataclasses.replace(contents, evidence=genuine.evidence)
    if part == "closings":
        bare = dataclasses.replace(contents, closings=genuine.closings)
    assert code_of(bundle.write(bare), trust=asking(trusting(story, key_of(signer)), authority)) is ExitCode.TIMESTAMP


def test_a_token_of_another_signature_of_the_same_request_is_refused(
    authority: Authority, story: Story, signer: signing.EvidenceSigner
) -> None:
    contents = stamped(story.contents(), lambda signature: (authority.stamp(signature),))
    first, second = contents.evidence
    swapped = (
        dataclasses.replace(first, timestamps=second.timestamps),
        dataclasses.replace(second, timestamps=first.timestamps),
    )
    data = bundle.write(dataclasses.replace(contents, evidence=swapped))
    assert code_of(data, trust=asking(trusting(story, key_of(signer)), authority)) is ExitCode.TIMESTAMP


def test_the_report_says_that_no_time_is_proven(genuine: bytes) -> None:
    told = "No trusted time stamp proves when the evidence was signed"
    assert any(told in line for line in verify_bundle(genuine).conclusions)
