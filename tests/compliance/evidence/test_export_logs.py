"""What whole logs must hold: entries of the allow-list, unbroken chains, keys as the trust file knows them, witnesses."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, judging, signing, sigstore_root, tile_files
from compliance.evidence import trust as trusts
from compliance.evidence.errors import EvidenceError, ExitCode, KeyValidityError, LeafError
from compliance.evidence.export_report import ExportReport
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.evidence.verify_export import verify_export

from .export_edits import Files, code_of_export, edited_json, told
from .export_story import (
    ExportStory,
    folder_of,
    lay_out,
    refuse_others,
    trust_of,
)
from .ledgers import Cosigner, Ledger
from .registered import RegisteredLedger, RegisteredStory, own_event
from .stamping import Authority, new_authority
from .story import STEPS, Story, new_signer, some_id

FIRST, SECOND, WITHHELD = (some_id(1 + 1000 * number) for number in (1, 2, 3))


@pytest.fixture
def folder(export_files: Files, tmp_path: Path) -> Path:
    return lay_out(export_files, tmp_path / "export")


# --- What the logs hold ---------------------------------------------------------------------------------------------


def ledger_with(log_key: Ed25519PrivateKey, *entries: bytes) -> Ledger:
    ledger = Ledger(log_key)
    refuse_others(ledger, 2)
    for entry in entries:
        ledger.append(entry)
    return ledger


NO_ENTRIES = {
    "free text": b"somebody else's entry",
    "an address where evidence should be": b'{"apiVersion":"jane@example.org"}',
    "an event of another type": own_event("model.registered", model=some_id(1), family="a").replace(
        b"model.registered", b"model.forgotten"
    ),
    "nothing": b"",
}


@pytest.mark.parametrize("name", NO_ENTRIES)
def test_an_entry_that_is_not_on_the_allow_list_is_refused_although_nobody_discloses_it(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    export = told(ledger_with(log_key, NO_ENTRIES[name]), signer=signer)
    with pytest.raises(LeafError, match="Entry 6 of log 1"):
        verify_export(lay_out(export.files(), tmp_path), trust=export.trust)


def test_a_broken_chain_of_an_undisclosed_request_is_refused_and_named(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = Ledger(log_key)
    Story(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=("receive", "withdraw", "withdraw"))
    export = told(ledger, signer=signer)
    with pytest.raises(EvidenceError, match=f"Request {some_id(4001)}: ") as caught:
        verify_export(lay_out(export.files(), tmp_path), trust=export.trust)
    assert caught.value.code is ExitCode.CHAIN_BROKEN


def test_a_wrong_disclosed_request_is_named(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    story = RegisteredStory(
        log_key=log_key,
        signer=signer,
        ledger=ledger,
        number=4,
        facts=lambda facts: dataclasses.replace(facts, n_forget=7),
    )
    export = told(ledger, story, signer=signer)
    with pytest.raises(EvidenceError, match=f"Request {some_id(4001)}: ") as caught:
        verify_export(lay_out(export.files(), tmp_path), trust=export.trust)
    assert caught.value.code is ExitCode.SCOPE_MISMATCH


TIMES = {"key.retired": "valid_until", "key.distrusted": "distrusted_from"}


@pytest.mark.parametrize("event_type", TIMES)
def test_what_the_ledger_says_of_a_key_the_trust_file_must_say_too(
    event_type: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    said = {"purpose": "evidence", "key_sha256": signer.keyid, TIMES[event_type]: "2026-06-01T00:00:00Z"}
    export = told(ledger_with(log_key, own_event(event_type, **said)), signer=signer)
    folder = lay_out(export.files(), tmp_path)
    with pytest.raises(KeyValidityError, match="your trust file does not"):
        verify_export(folder, trust=export.trust)
    at = canonical.parse_time("2026-06-01T00:00:00Z")
    ends: dict[str, Any] = {TIMES[event_type]: at}
    key = EvidenceKey.of(signer.public_key, **ends)
    informed = dataclasses.replace(export.trust, evidence_keys=(key,))
    assert verify_export(folder, trust=informed).is_pinned


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"purpose": "checkpoint"}, id="a key of the log"),
        pytest.param({"key_sha256": "0" * 64}, id="a key that is not trusted anyway"),
    ],
)
def test_what_the_ledger_says_of_other_keys_does_not_matter(
    said: dict[str, str], log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    facts = {"purpose": "evidence", "key_sha256": signer.keyid, "distrusted_from": "2026-06-01T00:00:00Z"} | said
    export = told(ledger_with(log_key, own_event("key.distrusted", **facts)), signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.VERIFIED


def test_an_empty_second_log_is_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = ledger_with(log_key)
    ledger.open_next()
    ledger.last.leaves.clear()
    ledger.last.tiles.clear()
    export = told(ledger, signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.LOG_SUCCESSION


# --- Genuine --------------------------------------------------------------------------------------------------------


def test_the_genuine_export_is_verified_and_counted(exported: ExportStory, folder: Path) -> None:
    report = verify_export(folder, trust=exported.trust)
    ledger = exported.ledger
    assert report.n_entries == sum(len(log.leaves) for log in ledger.logs.values())
    assert (report.n_evidence, report.is_pinned, report.is_witnessed) == (12, True, True)
    lines = {line.request: line for line in report.requests}
    assert len(lines) == 97
    assert {request for request, line in lines.items() if line.is_disclosed} == {FIRST, SECOND}
    assert [(lines[each].state, lines[each].n_signatures) for each in (FIRST, SECOND, WITHHELD)] == [
        ("completed", 4),
        ("completed", 4),
        ("completed", 0),
    ]
    assert report.states == "3 completed, 94 refused"
    assert [step.number for step in report.steps] == list(range(1, 9))


def test_partial_files_of_an_earlier_size_may_stay(exported: ExportStory, export_files: Files, tmp_path: Path) -> None:
    """As C2SP tlog-tiles allows; they must be the beginning of what is there now."""
    log = exported.ledger.logs[1]
    held = log.leaves[256:266]
    earlier = {
        "logs/2026/tile/0/000.p/7": log.tiles[0, 0][: 7 * 32],
        "logs/2026/tile/0/001.p/10": log.tiles[0, 1][: 10 * 32],
        "logs/2026/tile/entries/001.p/10": tile_files.encode_entries(held),
    }
    assert folder_of(log) == "2026"
    assert code_of_export(lay_out(export_files | earlier, tmp_path), exported.trust) is ExitCode.VERIFIED


def test_an_export_without_requests_is_verified(exported: ExportStory, export_files: Files, tmp_path: Path) -> None:
    kept = {name: held for name, held in export_files.items() if not name.startswith(("requests", "models", "polic"))}
    report = verify_export(lay_out(kept, tmp_path), trust=exported.trust)
    assert not any(line.is_disclosed for line in report.requests)


def test_an_open_request_is_disclosed_as_far_as_it_got(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    stories = [
        RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=number, steps=STEPS[:number])
        for number in range(1, len(STEPS) + 1)
    ]
    export = told(ledger, *stories, signer=signer)
    report = verify_export(lay_out(export.files(), tmp_path), trust=export.trust)
    assert report.states == "1 completed, 9 in progress"
    assert all(line.is_disclosed for line in report.requests)


def report_of(folder: Path, trust: Trust, n_processes: int) -> ExportReport:
    return verify_export(folder, trust=trust, n_processes=n_processes)


def test_one_process_and_several_say_the_same(
    exported: ExportStory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_CHUNK", 10)
    assert report_of(folder, exported.trust, 1) == report_of(folder, exported.trust, 3)


def test_several_processes_refuse_as_one_does(
    exported: ExportStory, export_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_CHUNK", 10)
    files = dict(export_files)
    edited_json(f"requests/{FIRST}/openings.json", lambda value: value.update(key="0" * 64))(files)
    folder = lay_out(files, tmp_path)
    said = []
    for n_processes in (1, 3):
        with pytest.raises(EvidenceError, match=f"Request {FIRST}: ") as caught:
            verify_export(folder, trust=exported.trust, n_processes=n_processes)
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


def test_without_a_pinned_trust_file_the_one_in_the_export_is_used_and_told(
    exported: ExportStory, folder: Path
) -> None:
    report = verify_export(folder)
    assert (report.is_pinned, report.is_witnessed) == (False, True)
    stranger = trust_of(exported.ledger, new_signer())
    assert code_of_export(folder, stranger) is ExitCode.EVIDENCE_KEY


def test_a_trust_file_in_the_export_counts_for_nothing_once_one_is_pinned(
    exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    """Only that it is one, and that Sigstore clients are told the same."""
    other = trust_of(exported.ledger, new_signer())
    files = export_files | {"trust.json": trusts.write(other), "trusted_root.json": sigstore_root.write(other)}
    folder = lay_out(files, tmp_path)
    assert code_of_export(folder, exported.trust) is ExitCode.VERIFIED
    assert code_of_export(folder, None) is ExitCode.EVIDENCE_KEY


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize(
    ("name", "code"),
    [("trust.json", ExitCode.TRUST_FILE), ("trusted_root.json", ExitCode.MALFORMED_FILE)],
)
def test_a_trust_file_that_is_none_is_refused_in_any_case(
    name: str, code: ExitCode, pinned: bool, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    folder = lay_out(export_files | {name: b"{}"}, tmp_path)
    assert code_of_export(folder, exported.trust if pinned else None) is code


def test_an_export_without_words_for_sigstore_clients_verifies(
    exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    kept = {name: held for name, held in export_files.items() if name != "trusted_root.json"}
    assert code_of_export(lay_out(kept, tmp_path), exported.trust) is ExitCode.VERIFIED


def test_a_root_for_sigstore_clients_that_names_other_logs_is_refused(
    exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    """Whoever verifies with Sigstore's tools must not be shown another log than those who use ours."""
    other = dataclasses.replace(exported.trust, log_vkeys=exported.trust.log_vkeys[:1])
    folder = lay_out(export_files | {"trusted_root.json": sigstore_root.write(other)}, tmp_path)
    assert code_of_export(folder, exported.trust) is ExitCode.MALFORMED_FILE


def test_witnesses_are_asked_of_every_log(exported: ExportStory, export_files: Files, tmp_path: Path) -> None:
    for number, log in exported.ledger.logs.items():
        files = export_files | {f"logs/{folder_of(log)}/checkpoint": log.note()}
        assert code_of_export(lay_out(files, tmp_path / str(number)), exported.trust) is ExitCode.CHECKPOINT_UNWITNESSED


STAMPS: dict[str, tuple[Callable[[Authority, bytes, bytes], bytes], ExitCode]] = {
    "of the note as the log signed it": (lambda authority, signed, shown: authority.stamp(signed), ExitCode.VERIFIED),
    "of the note with its cosignatures": (lambda authority, signed, shown: authority.stamp(shown), ExitCode.TIMESTAMP),
    "of other bytes": (lambda authority, signed, shown: authority.stamp(b"x"), ExitCode.TIMESTAMP),
    "of another authority": (lambda authority, signed, shown: new_authority().stamp(signed), ExitCode.TIMESTAMP),
    "that is none": (lambda authority, signed, shown: b"", ExitCode.TIMESTAMP),
}


@pytest.mark.parametrize("name", STAMPS)
def test_a_time_stamp_beside_a_checkpoint_must_be_of_a_trusted_authority(
    name: str, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    stamp, code = STAMPS[name]
    authority, log = new_authority(), exported.ledger.logs[2]
    files = {path: held for path, held in export_files.items() if not path.startswith(("requests", "models", "polic"))}
    files["logs/2027/checkpoint.tsr"] = stamp(authority, log.note(), files["logs/2027/checkpoint"])
    folder = lay_out(files, tmp_path)
    asking = dataclasses.replace(exported.trust, timestamp_authorities=(authority.pems,))
    assert code_of_export(folder, asking) is code
    # Whoever trusts no authority learns nothing from a token.
    assert code_of_export(folder, exported.trust) is ExitCode.VERIFIED


def test_the_cosigners_of_these_tests_are_different_people(exported: ExportStory) -> None:
    cosigners: tuple[Cosigner, ...] = exported.ledger.cosigners
    assert len({cosigner.vkey for cosigner in cosigners}) == 2
