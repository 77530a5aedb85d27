"""Who else has seen a checkpoint: the quorum of the trust file is met by real cosignatures, or the bundle is refused."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, cosignature, signing, trust, witness_policy
from compliance.evidence.errors import ExitCode, UnwitnessedError
from compliance.evidence.tables import bundle_table
from compliance.evidence.trust import Trust
from compliance.evidence.verify import verify_bundle
from compliance.evidence.witnessing import witnessing_of

from .edits import code_of, under
from .export_story import policy_of, trust_of
from .ledgers import COSIGNED_AT, Cosigner, Ledger
from .story import STEPS, Story

ONE, TWO, THREE, STRANGER = (Cosigner(f"{name}.example") for name in ("one", "two", "three", "stranger"))
ALL = (ONE, TWO, THREE)


def story_of(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, cosigners: Sequence[Cosigner], *steps: str
) -> Story:
    return Story(log_key=log_key, signer=signer, ledger=Ledger(log_key, cosigners, 20), steps=steps or STEPS)


def pinned(story: Story, threshold: int) -> Trust:
    return trust_of(story.ledger, story.signer, policy=policy_of(ALL, threshold))


REFUSED: dict[str, tuple[Sequence[Cosigner], int]] = {
    "nobody of one": ((), 1),
    "one of two": ((ONE,), 2),
    "two of three": ((ONE, TWO), 3),
    "one of two twice": ((ONE, ONE), 2),
    "one of two with a stranger": ((ONE, STRANGER), 2),
    "a stranger under the name of a witness": ((Cosigner(ONE.name),), 1),
    "a witness under another name": ((Cosigner("other.example", ONE.key),), 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_quorum_that_is_not_met_is_refused(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    cosigners, threshold = REFUSED[name]
    story = story_of(log_key, signer, cosigners)
    data = bundle.write(story.contents())
    assert code_of(data) is ExitCode.VERIFIED
    assert code_of(data, trust=pinned(story, threshold)) is ExitCode.CHECKPOINT_UNWITNESSED


def test_a_cosignature_over_another_checkpoint_refuses_the_note_although_the_quorum_is_met(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    story = story_of(log_key, signer, (ONE,))
    log = story.ledger.last
    foreign = cosignature.cosign(log.note(size=5), TWO.name, TWO.key, COSIGNED_AT)
    contents = under(story.contents(), 1, log.note([ONE]) + foreign)
    assert code_of(bundle.write(contents), trust=pinned(story, 1)) is ExitCode.CHECKPOINT_SIGNATURE


def test_a_cosignature_with_another_time_is_refused(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    """The time is signed: whoever moves it has changed the signature."""
    story = story_of(log_key, signer, (ONE,))
    note = story.ledger.last.note()
    line = cosignature.cosign(note, ONE.name, ONE.key, COSIGNED_AT)
    _, signatures = checkpoint.split_note(note + line)
    key_id, rest = signatures[-1][1:]
    moved = (int.from_bytes(rest[:8], "big") - 86_400).to_bytes(8, "big") + rest[8:]
    contents = under(story.contents(), 1, note + cosignature.signature_line(ONE.name, key_id + moved))
    assert code_of(bundle.write(contents), trust=pinned(story, 1)) is ExitCode.CHECKPOINT_SIGNATURE


def test_a_cosignature_by_the_key_of_the_log_is_none(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    story = story_of(log_key, signer, (Cosigner(ONE.name, log_key),))
    assert code_of(bundle.write(story.contents()), trust=pinned(story, 1)) is ExitCode.CHECKPOINT_UNWITNESSED


def test_each_of_two_logs_needs_its_quorum(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    steps = (*STEPS[:5], "turn_year", *STEPS[5:])
    story = story_of(log_key, signer, (ONE, TWO), *steps)
    contents = story.contents()
    assert code_of(bundle.write(contents), trust=pinned(story, 2)) is ExitCode.VERIFIED
    for number, log in story.ledger.logs.items():
        data = bundle.write(under(contents, number, log.note([ONE])))
        assert code_of(data, trust=pinned(story, 2)) is ExitCode.CHECKPOINT_UNWITNESSED


def test_a_policy_that_is_none_is_refused(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    story = story_of(log_key, signer, ALL)
    for text in ("", "quorum none", "quorum\n", "witness one\nquorum one\n"):
        trusted = dataclasses.replace(pinned(story, 1), witness_policy_text=text)
        assert code_of(bundle.write(story.contents()), trust=trusted) is ExitCode.TRUST_FILE


# --- Met ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_a_met_quorum_is_told_with_the_names(
    threshold: int, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    story = story_of(log_key, signer, (*ALL, STRANGER))
    report = verify_bundle(bundle.write(story.contents()), trust=pinned(story, threshold))
    (log,) = report.logs
    assert (report.is_witnessed, log.is_witnessed) == (True, True)
    assert log.witnesses == ("one.example", "three.example", "two.example")
    table = bundle_table(report)
    assert "cosigned by one.example, three.example, two.example" in table
    assert "UNWITNESSED" not in table


def test_without_a_policy_the_report_says_that_nobody_has_seen_the_log(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """Cosignatures that nobody asked for are no reason to rely on them."""
    story = story_of(log_key, signer, ALL)
    for policy in (None, "quorum none\n"):
        trusted = trust_of(story.ledger, signer, policy=policy)
        report = verify_bundle(bundle.write(story.contents()), trust=trusted)
        assert report.is_witnessed is False
        assert "UNWITNESSED" in bundle_table(report)


def at(hours: int) -> datetime:
    return datetime(2026, 5, 2, hours, tzinfo=UTC)


@pytest.mark.parametrize(("threshold", "hour"), [(1, 3), (2, 5), (3, 8)])
def test_the_quorum_counts_from_the_moment_at_which_enough_had_cosigned(threshold: int, hour: int) -> None:
    log_key = Ed25519PrivateKey.generate()
    cosigners = [dataclasses.replace(one, at=at(hours)) for one, hours in zip(ALL, (8, 3, 5), strict=True)]
    ledger = Ledger(log_key, cosigners, 9)
    note = ledger.last.note(cosigners)
    trusted = Trust(issued_at=at(0), log_vkeys=(), evidence_keys=(), witness_policy_text=policy_of(ALL, threshold))
    seen = witnessing_of(note, trusted)
    assert seen.quorum_at == at(hour)
    assert seen.cosigned_at == {cosigner.name: cosigner.at for cosigner in cosigners}


def test_of_two_cosignatures_of_one_witness_the_first_counts() -> None:
    ledger = Ledger(Ed25519PrivateKey.generate(), (), 9)
    late = dataclasses.replace(ONE, at=ONE.at + timedelta(days=1))
    trusted = Trust(issued_at=at(0), log_vkeys=(), evidence_keys=(), witness_policy_text=policy_of((ONE,), 1))
    assert witnessing_of(ledger.last.note([late, ONE]), trusted).quorum_at == ONE.at


def test_a_refusal_names_who_has_cosigned_and_who_is_missing() -> None:
    ledger = Ledger(Ed25519PrivateKey.generate(), (), 9)
    trusted = Trust(issued_at=at(0), log_vkeys=(), evidence_keys=(), witness_policy_text=policy_of(ALL, 2))
    with pytest.raises(UnwitnessedError, match=r"Cosigned by one\.example: .*two\.example has not cosigned"):
        witnessing_of(ledger.last.note([ONE]), trusted)


def test_the_policies_of_these_tests_are_files_that_a_trust_file_can_hold(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    trusted = pinned(story_of(log_key, signer, ALL), 2)
    again = trust.parse(trust.write(trusted))
    assert again == trusted
    assert witness_policy.parse(str(again.witness_policy_text)).quorum == "enough"
