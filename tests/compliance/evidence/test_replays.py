"""Attacks of somebody who holds genuine bundles and no key: replay, recombination, omission, confusion of keys."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, dsse, signing
from compliance.evidence.errors import ExitCode

from .archive import pack, reindexed, replaced, unpack
from .edits import code_of, under
from .ledgers import Ledger
from .story import STEPS, TARGET_A, TARGET_B, Story, new_signer, some_id

OTHER = some_id(50)


class OtherStory(Story):
    """Another request with the same targets and jobs: the best that a replay can hope for."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments, steps=())
        self.request_id = OTHER
        for step in STEPS:
            getattr(self, step)()


@pytest.fixture(scope="module")
def both(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> tuple[Story, Story]:
    """Two requests of one log, so that entries of both fit one bundle."""
    ledger = Ledger(log_key, n_others=300)
    first = Story(log_key=log_key, signer=signer, ledger=ledger)
    return first, OtherStory(log_key=log_key, signer=signer, ledger=ledger)


@pytest.fixture(scope="module")
def first(both: tuple[Story, Story]) -> bundle.BundleContents:
    return both[0].contents()


@pytest.fixture(scope="module")
def second(both: tuple[Story, Story]) -> bundle.BundleContents:
    return both[1].contents()


def test_both_requests_verify_under_one_checkpoint(first: bundle.BundleContents, second: bundle.BundleContents) -> None:
    assert first.logs == second.logs
    assert code_of(bundle.write(first)) is code_of(bundle.write(second)) is ExitCode.VERIFIED


def ordered(entries: tuple[bundle.Entry, ...]) -> tuple[bundle.Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.position))


def of_kind(contents: bundle.BundleContents, kind: str) -> tuple[bundle.Entry, ...]:
    return tuple(entry for entry in contents.entries if entry.kind == kind)


def test_evidence_of_another_request_does_not_serve_this_one(
    first: bundle.BundleContents, second: bundle.BundleContents
) -> None:
    entries = ordered(of_kind(second, "event") + of_kind(first, "evidence"))
    forged = dataclasses.replace(second, entries=entries, evidence=first.evidence, closings=first.closings)
    assert code_of(bundle.write(forged)) is ExitCode.SWAPPED_REQUEST


def test_events_of_another_request_do_not_extend_this_one(
    first: bundle.BundleContents, second: bundle.BundleContents
) -> None:
    forged = dataclasses.replace(first, entries=ordered(first.entries + of_kind(second, "event")))
    assert code_of(bundle.write(forged)) is ExitCode.SWAPPED_REQUEST


def test_summaries_of_another_request_do_not_close_this_one(
    first: bundle.BundleContents, second: bundle.BundleContents
) -> None:
    own, foreign = ({closing.position for closing in contents.closings} for contents in (first, second))
    kept = tuple(entry for entry in first.entries if entry.position not in own)
    entries = ordered(kept + tuple(entry for entry in second.entries if entry.position in foreign))
    forged = dataclasses.replace(first, entries=entries, closings=second.closings)
    assert code_of(bundle.write(forged)) is ExitCode.CLOSING_STATEMENT


def test_another_requests_bundle_under_this_id_is_refused(
    first: bundle.BundleContents, second: bundle.BundleContents
) -> None:
    assert code_of(bundle.write(dataclasses.replace(second, request=first.request))) is ExitCode.SWAPPED_REQUEST


def test_openings_of_another_request_do_not_open_this_one(
    first: bundle.BundleContents, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    class OtherKeyStory(Story):
        def receive(self) -> None:
            self.key = bytes(32)
            super().receive()

    foreign = OtherKeyStory(log_key=log_key, signer=signer).contents().openings
    assert code_of(bundle.write(dataclasses.replace(first, openings=foreign))) is ExitCode.OPENING_MISMATCH


def test_nothing_at_all_is_refused(first: bundle.BundleContents) -> None:
    files = unpack(bundle.write(dataclasses.replace(first, entries=first.entries[:1], evidence=(), closings=())))

    def empty(index: dict[str, Any]) -> None:
        index.update(logs=[], entries=[])

    kept = {name: held for name, held in files.items() if not name.startswith(("logs/", "entries/"))}
    assert code_of(reindexed(pack(kept), empty)) is ExitCode.MALFORMED_FILE


def test_evidence_without_any_event_is_refused(first: bundle.BundleContents) -> None:
    attached = first.evidence[0]
    entries = tuple(entry for entry in first.entries if entry.position == attached.position)
    forged = dataclasses.replace(first, entries=entries, evidence=(attached,), closings=())
    assert code_of(bundle.write(forged)) is ExitCode.CHAIN_BROKEN


def test_a_second_signature_of_the_same_key_is_not_the_one_in_the_ledger(
    first: bundle.BundleContents, signer: signing.EvidenceSigner
) -> None:
    """It verifies, and yet its time could be another."""
    attached, *others = first.evidence
    again = signer.sign(dsse.parse_envelope(attached.envelope).payload)
    assert again != attached.envelope
    forged = dataclasses.replace(first, evidence=(dataclasses.replace(attached, envelope=again), *others))
    assert code_of(bundle.write(forged)) is ExitCode.EVIDENCE_SIGNATURE


def test_evidence_left_out_of_a_completed_request_is_missed(first: bundle.BundleContents) -> None:
    kept, dropped = first.evidence
    entries = tuple(entry for entry in first.entries if entry.position != dropped.position)
    forged = dataclasses.replace(first, evidence=(kept,), entries=entries)
    assert code_of(bundle.write(forged)) is ExitCode.SCOPE_MISMATCH


def twice_the_same_target(index: dict[str, Any]) -> None:
    index["evidence"][1]["target"] = index["evidence"][0]["target"]


def twice_the_same_entry(index: dict[str, Any]) -> None:
    index["evidence"][1]["index"] = index["evidence"][0]["index"]


def once_more(index: dict[str, Any]) -> None:
    index["evidence"].append({**index["evidence"][0], "target": some_id(99)})


def huge_index(index: dict[str, Any]) -> None:
    index["entries"][-1]["index"] = 2**53 - 1


def fractional_index(index: dict[str, Any]) -> None:
    index["entries"][-1]["index"] += 0.5


def true_index(index: dict[str, Any]) -> None:
    index["entries"][0]["index"] = True


def unknown_kind(index: dict[str, Any]) -> None:
    index["entries"][0]["kind"] = "remark"


def key_twice(index: dict[str, Any]) -> None:
    index["evidence_keys"] *= 2


def model_twice(index: dict[str, Any]) -> None:
    index["models"] *= 2


@pytest.mark.parametrize(
    "change",
    [
        twice_the_same_target,
        twice_the_same_entry,
        once_more,
        huge_index,
        fractional_index,
        true_index,
        unknown_kind,
        key_twice,
        model_twice,
    ],
)
def test_an_index_that_counts_wrongly_is_refused(change: Callable[[dict[str, Any]], None], genuine: bytes) -> None:
    assert code_of(reindexed(genuine, change)) is ExitCode.MALFORMED_FILE


def test_a_list_that_is_written_twice_is_refused(genuine: bytes) -> None:
    """Which of two members of one name counts depends on the reader."""
    data = replaced(genuine, "bundle.json", lambda content: content.replace(b'{"', b'{"models":[],"', 1))
    assert code_of(data) is ExitCode.MALFORMED_FILE


def test_evidence_moved_to_the_other_target_is_refused(genuine: bytes) -> None:
    """The attachments change places together with their files, so that each file still fits its entry."""

    def change(index: dict[str, Any]) -> None:
        for folder in ("evidence", "closings"):
            a, b = index[folder]
            a["target"], b["target"] = b["target"], a["target"]

    files = unpack(reindexed(genuine, change))
    swapped: dict[str, bytes] = {}
    for folder in ("evidence", "closing"):
        a, b = (f"{folder}/{target}.sigstore.json" for target in (TARGET_A, TARGET_B))
        swapped |= {a: files[b], b: files[a]}
    assert code_of(pack(files | swapped)) is ExitCode.JOB_MISMATCH


# --- Confusion of keys -------------------------------------------------------------------------------------------


def test_the_key_that_the_bundle_names_must_be_the_one_that_signed(story: Story) -> None:
    """With two trusted ledger keys, the report would name one and rest on the other."""
    mine = checkpoint.vkey("ledger.example/test", story.log_key.public_key())
    other = checkpoint.vkey("ledger.example/test", Ed25519PrivateKey.generate().public_key())
    contents = story.contents()
    data = bundle.write(under(contents, 1, contents.logs[0].checkpoint, vkey=other))
    assert code_of(data, log_vkeys=[mine, other]) is ExitCode.CHECKPOINT_KEY
    assert code_of(bundle.write(story.contents()), log_vkeys=[mine, other]) is ExitCode.VERIFIED


def test_a_witness_key_among_the_pinned_ones_does_not_sign_for_the_log(story: Story) -> None:
    witness = Ed25519PrivateKey.generate()
    contents = story.contents()
    (log,) = contents.logs
    head = checkpoint.open_note(log.checkpoint, [log.vkey])
    note = checkpoint.sign(head, "witness.example", witness)
    vkey = checkpoint.vkey("witness.example", witness.public_key())
    data = bundle.write(under(contents, 1, note, vkey=vkey))
    assert code_of(data, log_vkeys=[log.vkey, vkey]) is ExitCode.CHECKPOINT_KEY


def test_an_evidence_key_in_the_bundle_counts_for_nothing_once_keys_are_pinned(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, story: Story
) -> None:
    forger = new_signer()
    forged = bundle.write(Story(log_key=log_key, signer=forger).contents())
    assert code_of(forged) is ExitCode.VERIFIED
    assert code_of(forged, evidence_keys=[signer.public_key]) is ExitCode.EVIDENCE_KEY
    assert code_of(forged, evidence_keys=[signer.public_key, forger.public_key]) is ExitCode.VERIFIED


def test_an_envelope_under_the_trusted_key_id_but_with_a_forgers_signature_is_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """The key id is a hint: the entry names the key that signed, and that key is not trusted."""

    class DisguisedStory(Story):
        def attach(self) -> None:
            super().attach()
            for target, (position, envelope) in self.envelopes.items():
                disguised = dataclasses.replace(dsse.parse_envelope(envelope), keyid=signer.keyid)
                self.envelopes[target] = (position, disguised.to_bytes())

    data = bundle.write(DisguisedStory(log_key=log_key, signer=new_signer()).contents())
    assert code_of(data, evidence_keys=[signer.public_key]) is ExitCode.EVIDENCE_KEY
    assert code_of(data) is ExitCode.EVIDENCE_SIGNATURE
