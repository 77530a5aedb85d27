"""The bundle of a request in any state verifies offline; one that is not under a checkpoint is not given out."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, cosignature, dsse
from compliance.evidence.report import Report
from compliance.evidence.verdict import Verdict
from compliance.evidence.verify import verify_bundle
from compliance.ledger import actors, notes
from compliance.ledger.models import PublicKey, SignedCheckpoint
from compliance.reports.request_bundle import export
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import NotReadyError
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def verified(data: bytes) -> Report:
    """Under the published keys, as an auditor pins them."""
    keys = {key.purpose: key.text for key in PublicKey.objects.all()}
    return verify_bundle(
        data, log_vkeys=[keys["checkpoint"]], evidence_keys=[dsse.load_public_key(keys["evidence"].encode())]
    )


def test_entries_without_a_position_or_a_checkpoint_are_waited_for() -> None:
    request = cast.ask().request
    with pytest.raises(NotReadyError, match="sequencer"):
        export(request.pk)
    cast.run_ledger()
    cast.mail_code(request.pk)
    with pytest.raises(NotReadyError):
        export(request.pk)


@pytest.mark.parametrize("state", list(RequestState), ids=str)
def test_a_request_in_any_state_verifies(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    cast.model_of("ranking", cast.ALICE, cast.CHARLIE)
    cast.model_of("other", cast.CHARLIE)
    request = cast.brought_to(state).request
    cast.run_ledger()
    report = verified(export(request.pk))
    assert report.state == state if state in TERMINAL else report.state.startswith("in progress")
    assert report.is_log_key_pinned


def test_a_request_that_failed_and_was_repeated_verifies_with_the_last_evidence_alone() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    cast.work(request.pk, Verdict.FAIL)
    cast.run_ledger()
    assert verified(export(request.pk)).state.startswith("in progress")
    cast.try_again(request.pk)
    cast.work(request.pk)
    cast.second_signature(request.pk)
    cast.run_ledger()
    assert verified(export(request.pk)).state == "completed"


def test_a_person_whom_no_model_saw_gets_a_bundle_that_verifies() -> None:
    cast.model_of("spam", cast.CHARLIE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    assert verified(export(request.pk)).state == "completed"


def test_a_request_approved_anew_after_another_removed_the_records_verifies() -> None:
    cast.model_of("spam", cast.ALICE)
    first = cast.brought_to(RequestState.EXECUTING).request
    again = cast.brought_to(RequestState.EXECUTING).request
    cast.work(first.pk)
    for job in cast.queued_jobs(again.pk):
        assert start_job(job.pk, actor=actors.worker(cast.WORKER_ID)) is None
    cast.decide(again.pk)
    cast.make_plan(again.pk)
    for request in (first, again):
        cast.second_signature(request.pk)
        cast.run_ledger()
        assert verified(export(request.pk)).state == "completed"


def test_evidence_of_a_failure_is_left_behind_when_the_records_turn_out_to_be_gone() -> None:
    """Alice asks twice; the second request's job fails its audits before the first one's removes the records."""
    cast.model_of("spam", cast.ALICE)
    failing = cast.brought_to(RequestState.EXECUTING).request
    cast.work(failing.pk, Verdict.FAIL)
    first = cast.brought_to(RequestState.EXECUTING).request
    cast.work(first.pk)
    cast.run_ledger()
    assert verified(export(failing.pk)).state.startswith("in progress")
    cast.decide(failing.pk)
    cast.make_plan(failing.pk)
    for request in (first, failing):
        cast.second_signature(request.pk)
    cast.run_ledger()
    assert verified(export(failing.pk)).state == "completed"


def test_after_a_rotation_the_key_that_signed_the_checkpoint_is_named() -> None:
    request = cast.ask().request
    cast.run_ledger()
    used = PublicKey.objects.get(purpose="checkpoint")
    newer = checkpoint.vkey("elsewhere.example/log", Ed25519PrivateKey.generate().public_key())
    now = datetime.now(tz=UTC)
    PublicKey.objects.create(
        text_sha256="ee" * 32, key_sha256="ef" * 32, purpose="checkpoint", text=newer, published_at=now, valid_from=now
    )
    contents = bundle.read(export(request.pk))
    assert [log.vkey for log in contents.logs] == [used.text]


def test_the_same_state_gives_the_same_bytes() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    assert export(request.pk, now=NOW) == export(request.pk, now=NOW)


def test_nothing_about_the_person_is_in_the_bundle() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    with zipfile.ZipFile(io.BytesIO(export(request.pk))) as archive:
        contents = b"".join(archive.read(name) for name in archive.namelist())
    assert cast.MARK.encode() not in contents
    assert request.vault.pseudonym.encode() not in contents
    assert b"spam-0" not in contents, "record ids may be personal data"


def test_a_witness_that_cosigns_while_the_bundle_is_made_does_not_spoil_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note is read once: proofs and bundle would otherwise name two versions of one checkpoint."""
    request = cast.ask().request
    cast.run_ledger()
    n_read = 0

    def cosigned_meanwhile(head: SignedCheckpoint) -> bytes:
        nonlocal n_read
        n_read += 1
        line = cosignature.cosign(bytes(head.note), "w.example", Ed25519PrivateKey.generate(), NOW)
        return cosignature.add_line(bytes(head.note), line)

    monkeypatch.setattr(notes, "cosigned", cosigned_meanwhile)
    assert verified(export(request.pk)).state.startswith("in progress")
    assert n_read == 1
