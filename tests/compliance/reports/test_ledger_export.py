"""An export of whole ledgers verifies offline, also over the turn of a year; it is whole or not there."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from compliance.evidence import trust
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export
from compliance.ledger import logs
from compliance.ledger.actors import SYSTEM
from compliance.ledger.trust_file import current_trust
from compliance.reports import ledger_export, request_bundle
from compliance.requests.actions.shred import shred
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def closed() -> DeletionRequest:
    """Alice's request, completed, with everything signed."""
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    return request


def exports_in(folder: Path) -> list[str]:
    """Whole ones, and drafts."""
    return [path.name for path in folder.iterdir() if "export" in path.name]


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    cast.run_ledger()
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(ledger_export.ExportExistsError, match="never written over"):
        ledger_export.export(tmp_path, [])
    assert (tmp_path / "mine").read_text() == "kept"


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="checkpointer"):
        ledger_export.export(tmp_path / "export", [])
    request = closed()
    waiting = cast.ask(cast.CHARLIE).request
    for requests, refusal in (([waiting.pk], NotReadyError), ([SYSTEM.id], NotFoundError)):
        with pytest.raises(refusal):
            ledger_export.export(tmp_path / "export", [request.pk, *requests])
    assert exports_in(tmp_path) == []


def test_a_request_that_is_shredded_meanwhile_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = closed()
    Letter.objects.update(sent_at=NOW)
    write_log = ledger_export._write_log

    def shredding(*arguments: Any) -> None:
        shred(request.pk, actor=SYSTEM)
        write_log(*arguments)

    monkeypatch.setattr(ledger_export, "_write_log", shredding)
    with pytest.raises(NotReadyError, match="moved on"):
        ledger_export.export(tmp_path / "export", [request.pk])
    assert exports_in(tmp_path) == []


def test_a_stopped_export_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed()
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(ledger_export, "_refuse_moved_on", lambda disclosed: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit):
        call_command("export_ledger", str(tmp_path / "export"), "--all-closed", stdout=StringIO())
    assert exports_in(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_all_closed_requests_are_disclosed_but_one_that_is_not_signed_yet(tmp_path: Path) -> None:
    request, out, err = closed(), StringIO(), StringIO()
    Letter.objects.update(sent_at=NOW)
    shred(request.pk, actor=SYSTEM)
    call_command("export_ledger", str(tmp_path / "export"), "--all-closed", stdout=out, stderr=err)
    assert "0 requests disclosed" in out.getvalue()
    assert f"{request.pk} is left out" in err.getvalue()


def test_an_export_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = ledger_export.export(tmp_path / "export", [closed().pk])
    modes = {path: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_an_export_verifies_with_and_without_disclosed_requests(tmp_path: Path) -> None:
    request = closed()
    for name, disclosed in (("none", []), ("one", [request.pk])):
        folder = ledger_export.export(tmp_path / name, disclosed)
        report = verify_export(folder, trust=current_trust())
        assert [line.request for line in report.requests if line.is_disclosed] == [str(each) for each in disclosed]
        assert {line.state for line in report.requests} == {"completed"}


def test_the_same_ledger_gives_the_same_files(tmp_path: Path) -> None:
    request = closed()
    first, second = (ledger_export.export(tmp_path / name, [request.pk], now=NOW) for name in ("a", "b"))
    assert contents(first) == contents(second)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_request_over_the_turn_of_a_year_verifies_in_two_logs(tmp_path: Path) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    cast.run_ledger()
    logs.freeze()
    cast.work(request.pk)
    cast.run_ledger()
    cast.second_signature(request.pk)
    cast.run_ledger()
    newest = logs.newest()
    assert newest is not None
    assert newest.number == 2
    folder = ledger_export.export(tmp_path / "export", [request.pk])
    report = verify_export(folder, trust=current_trust())
    assert [log.number for log in report.logs] == [1, 2]
    both = verify_bundle(request_bundle.export(request.pk), trust=current_trust())
    assert (both.state, [log.number for log in both.logs]) == ("completed", [1, 2])


def test_any_changed_byte_of_any_file_is_refused(tmp_path: Path) -> None:
    request = closed()
    folder = ledger_export.export(tmp_path / "export", [request.pk])
    pinned = current_trust()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name in ("trust.json", "trusted_root.json"):
            # The caller's own trust file is used instead; the other is for other tools.
            continue
        kept = path.read_bytes()
        path.write_bytes(kept[:-2] + bytes([kept[-2] ^ 1]) + kept[-1:])
        with pytest.raises(EvidenceError):
            verify_export(folder, trust=pinned, n_processes=1)
        path.write_bytes(kept)
    verify_export(folder, trust=pinned)


def test_the_command_exports_and_the_auditors_command_verifies_and_explains(tmp_path: Path) -> None:
    request, out = closed(), StringIO()
    call_command("export_ledger", str(tmp_path / "export"), "--all-closed", stdout=out)
    fingerprint = trust.fingerprint((tmp_path / "export" / "trust.json").read_bytes())
    assert "1 requests disclosed" in out.getvalue()
    assert fingerprint in out.getvalue()
    pinned = ["--trust", str(tmp_path / "export" / "trust.json"), "--trust-sha256", fingerprint, "--json"]
    for command in (["verify", "export"], ["explain", "export", str(request.pk)]):
        arguments = [command[0], str(tmp_path / command[1]), *command[2:], *pinned]
        done = subprocess.run(
            [sys.executable, "-m", "compliance.evidence", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=settings.ROOT,
        )
        assert done.returncode == ExitCode.VERIFIED, done.stdout + done.stderr
        assert json.loads(done.stdout)["verified"] is True


def test_the_command_refuses_with_a_sentence(tmp_path: Path) -> None:
    closed()
    for arguments in (["--request", "not-an-id"], ["--request", str(SYSTEM.id)]):
        with pytest.raises(CommandError):
            call_command("export_ledger", str(tmp_path / "export"), *arguments)


def test_after_shredding_every_proof_still_holds_and_nobody_can_open_it(tmp_path: Path) -> None:
    request = closed()
    Letter.objects.update(sent_at=NOW)
    shred(request.pk, actor=SYSTEM)
    cast.run_ledger()
    folder = ledger_export.export(tmp_path / "export", [request.pk])
    report = verify_export(folder, trust=current_trust())
    assert report.requests[0].n_signatures == 2
    assert not (folder / "requests" / str(request.pk) / "openings.json").exists()
    bundled = verify_bundle(request_bundle.export(request.pk), trust=current_trust())
    assert bundled.state == "completed"
    assert any("shredded" in line for line in bundled.conclusions)
