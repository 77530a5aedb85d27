"""The row of logs in an export: none is left out, at the beginning, in between, or of those that the trust file names."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import signing
from compliance.evidence.errors import ExitCode, LogSuccessionError
from compliance.evidence.verify_export import verify_export

from .export_edits import Files, code_of_export, in_logs, told
from .export_story import ExportStory, folder_of, lay_out, refuse_others
from .ledgers import GrowingLog, Ledger
from .registered import own_event


@pytest.fixture
def three_logs(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> ExportStory:
    ledger = Ledger(log_key)
    refuse_others(ledger, 2)
    for _ in range(2):
        ledger.open_next()
        refuse_others(ledger, 1)
    return told(ledger, signer=signer)


def shown(export: ExportStory, numbers: Sequence[int]) -> Files:
    """The export with these logs alone."""
    files = export.files()
    for number, log in export.ledger.logs.items():
        if number not in numbers:
            files = {name: held for name, held in files.items() if not name.startswith(f"logs/{folder_of(log)}/")}
    in_logs(lambda logs: logs.__setitem__(slice(None), [log for log in logs if log["log"] in numbers]))(files)
    return files


@pytest.mark.parametrize(
    ("numbers", "refusal"),
    [
        pytest.param((2, 3), "begins with log 2", id="the first"),
        pytest.param((3,), "begins with log 3", id="all but the last"),
        pytest.param((1, 2), "names the log ledger.example/test-3", id="the last"),
        pytest.param((1,), "names the log ledger.example/test-2", id="all but the first"),
    ],
)
def test_a_log_of_the_trust_file_that_is_left_out_is_refused(
    numbers: tuple[int, ...], refusal: str, three_logs: ExportStory, tmp_path: Path
) -> None:
    folder = lay_out(shown(three_logs, numbers), tmp_path)
    with pytest.raises(LogSuccessionError, match=refusal):
        verify_export(folder, trust=three_logs.trust)
    # Whatever the trust file in the export names.
    with pytest.raises(LogSuccessionError, match=refusal):
        verify_export(folder)


def test_a_later_log_shown_as_the_first_is_refused(three_logs: ExportStory, tmp_path: Path) -> None:
    """Also for those who pinned its key alone."""
    files = shown(three_logs, (3,))
    in_logs(lambda logs: logs[0].update(log=1))(files)
    pinned = dataclasses.replace(three_logs.trust, log_vkeys=(three_logs.ledger.logs[3].vkey,))
    with pytest.raises(LogSuccessionError, match="opens log 3"):
        verify_export(lay_out(files, tmp_path), trust=pinned)


def test_an_entry_in_the_middle_that_opens_a_log_is_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = Ledger(log_key)
    ledger.append(own_event("key.published", purpose="evidence", key_sha256=signer.keyid))
    ledger.append(own_event("log.opened", log=2, previous_size=1, previous_root_sha256="0" * 64))
    export = told(ledger, signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.LOG_SUCCESSION


def test_two_logs_under_one_origin_are_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = Ledger(log_key)
    refuse_others(ledger, 1)
    origin = ledger.last.origin
    ledger.open_next()
    second = GrowingLog(2, origin, log_key)
    second.append(ledger.last.leaves)
    ledger.logs[2] = second
    export = told(ledger, signer=signer)
    once = dataclasses.replace(export.trust, log_vkeys=export.trust.log_vkeys[:1])
    export = dataclasses.replace(export, trust=once)
    assert code_of_export(lay_out(export.files(), tmp_path), once) is ExitCode.LOG_SUCCESSION


def test_all_logs_together_are_verified_and_the_report_names_them(three_logs: ExportStory, tmp_path: Path) -> None:
    report = verify_export(lay_out(three_logs.files(), tmp_path), trust=three_logs.trust)
    assert report.steps[3].detail == "from log 1 to log 3"
