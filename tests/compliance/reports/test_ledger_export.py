"""An export of whole ledgers verifies offline, also over the turn of a year; it is whole or not there."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as installation
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.evidence import cosignature, explanation, trust
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export
from compliance.ledger import checkpointer, logs, notes
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import Cosignature, PublicKey, SignedCheckpoint
from compliance.ledger.trust_file import current_trust
from compliance.reports import ledger_export, request_bundle
from compliance.requests.actions.shred import shred
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.evidence.export_story import policy_of
from tests.compliance.evidence.ledgers import Cosigner

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


def test_an_export_that_our_own_verifier_refuses_is_not_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = closed()
    monkeypatch.setattr(ledger_export, "README", "Run this.")
    with pytest.raises(ledger_export.ExportRefusedError, match=r"exit code 15, malformed_file.*README\.txt"):
        ledger_export.export(tmp_path / "export", [request.pk])
    with pytest.raises(CommandError, match="was not handed out"):
        call_command("export_ledger", str(tmp_path / "export"), "--all-closed", stdout=StringIO())
    assert exports_in(tmp_path) == []


def test_an_export_is_not_handed_out_before_witnesses_saw_its_head(tmp_path: Path, settings: Settings) -> None:
    closed()
    ask_for(Cosigner("w.example"), tmp_path, settings)
    with pytest.raises(ledger_export.ExportRefusedError, match="checkpoint_unwitnessed"):
        ledger_export.export(tmp_path / "export", [])
    assert exports_in(tmp_path) == []


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


def ask_for(witness: Cosigner, folder: Path, settings: Settings) -> None:
    """A policy that asks for this witness."""
    settings.WITNESS_POLICY_PATH = folder / "policy"
    settings.WITNESS_POLICY_PATH.write_text(policy_of([witness], 1))


def cosign(witness: Cosigner, head: SignedCheckpoint) -> None:
    """The witness has seen this head."""
    line = cosignature.cosign(bytes(head.note), witness.name, witness.key, witness.at)
    Cosignature.objects.create(checkpoint=head, witness=witness.name, line=line, cosigned_at=witness.at)


def newest() -> SignedCheckpoint:
    head = checkpointer.latest()
    assert head is not None
    return head


def distrust_all(moment: datetime) -> None:
    PublicKey.objects.filter(purpose=PublicKey.Purpose.EVIDENCE).update(distrusted_from=moment)


def test_the_head_that_witnesses_saw_before_a_key_was_distrusted_goes_with_the_export(
    tmp_path: Path, settings: Settings
) -> None:
    key, now = Ed25519PrivateKey.generate(), datetime.now(tz=UTC).replace(microsecond=0)
    at_first, before, after = (
        Cosigner("w.example", key, now + timedelta(minutes=minutes)) for minutes in (-20, -10, 10)
    )
    ask_for(before, tmp_path, settings)
    request, heads = closed(), []
    for witness, person in ((at_first, cast.CHARLIE), (before, cast.CHARLIE), (after, None)):
        cosign(witness, newest())
        heads.append(newest())
        if person is not None:
            cast.ask(person)
            cast.run_ledger()
    folder = ledger_export.export(tmp_path / "trusting", [])
    assert list(folder.glob("logs/*/earlier/*")) == []
    # For this moment the newest one was there in time.
    distrust_all(now + timedelta(minutes=20))
    folder = ledger_export.export(tmp_path / "in-time", [])
    assert list(folder.glob("logs/*/earlier/*")) == []
    distrust_all(now)
    folder = ledger_export.export(tmp_path / "export", [])
    (earlier,) = folder.glob("logs/*/earlier/*")
    assert earlier.name == f"{heads[1].size}.checkpoint"
    assert earlier.read_bytes() == notes.cosigned(heads[1])
    assert verify_export(folder, trust=current_trust()).n_earlier_heads == 1
    # Without tokens nothing proves a time: what was signed with the key is not shown.
    with pytest.raises(ledger_export.ExportRefusedError, match="key_not_valid"):
        ledger_export.export(tmp_path / "disclosed", [request.pk])


def test_a_ledger_that_grows_faster_than_witnesses_cosign_is_shown_as_they_saw_it(
    tmp_path: Path, settings: Settings
) -> None:
    witness = Cosigner("w.example", Ed25519PrivateKey.generate(), datetime.now(tz=UTC).replace(microsecond=0))
    ask_for(witness, tmp_path, settings)
    request = closed()
    with pytest.raises(ledger_export.ExportRefusedError, match="try again"):
        ledger_export.export(tmp_path / "unseen", [request.pk])
    seen = newest()
    cosign(witness, seen)
    later = cast.ask(cast.CHARLIE).request
    cast.run_ledger()
    folder = ledger_export.export(tmp_path / "seen", [request.pk])
    report = verify_export(folder, trust=current_trust())
    assert (report.logs[0].size, report.is_witnessed) == (seen.size, True)
    assert verify_bundle(request_bundle.export(request.pk), trust=current_trust()).logs[0].is_witnessed
    with pytest.raises(ledger_export.ExportRefusedError, match="unwitnessed"):
        ledger_export.export(tmp_path / "unseen", [later.pk])


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
            cwd=installation.ROOT,
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
    kinds = sorted(path.name.partition(".")[2] for path in (folder / "requests" / str(request.pk)).iterdir())
    assert kinds == ["closing.sigstore.json", "evidence.sigstore.json"]
    bundled = verify_bundle(request_bundle.export(request.pk), trust=current_trust())
    assert bundled.state == "completed"
    assert any("shredded" in line for line in bundled.conclusions)


@pytest.mark.parametrize("state", [RequestState.REFUSED, RequestState.WITHDRAWN])
def test_of_a_request_that_was_shredded_before_anything_was_signed_its_entries_are_left(
    state: RequestState, tmp_path: Path
) -> None:
    request = cast.brought_to(state).request
    Letter.objects.update(sent_at=NOW)
    shred(request.pk, actor=SYSTEM)
    cast.run_ledger()
    folder = ledger_export.export(tmp_path / "export", [request.pk])
    assert not (folder / "requests").exists()
    told = explanation.of_export(folder, str(request.pk), current_trust())
    assert told.state == state.value
    assert told.entries[-1].what.startswith("request.shredded")
