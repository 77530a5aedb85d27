"""After a restore an open request goes on so that the whole ledger verifies when it is finished, and nobody is forgotten
twice or left untold."""

import uuid
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from compliance.evidence.verify_export import verify_export
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM
from compliance.registry.models import ModelVersion
from compliance.reports import ledger_export
from compliance.requests.actions.plan import plan
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import DeletionRequest, Job, Letter, Target
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import JobState, RequestState, TargetState
from compliance.suppression.models import SuppressionToken
from tests.compliance import cast
from tests.journey import backups
from tests.journey.restoring import LACKS_NOTHING, erase, holds, publish, rows_of_alice, run, serving
from tests.journey.test_restored_versions import restored, worked_on
from tests.workers import digits
from tests.workers.killing import end_lease
from workers import director, summaries, sweep, tasks


def state_of(request_id: uuid.UUID) -> str:
    return DeletionRequest.objects.get(pk=request_id).state


def finish(request_id: uuid.UUID) -> None:
    """A new approval, and all that follows it."""
    cast.decide(request_id)
    erase(request_id)


def assert_verifies(tmp_path: Path, *disclosed: uuid.UUID) -> None:
    """The whole ledger, with these requests disclosed, and with none."""
    publish()
    for number, shown in enumerate(((), disclosed)):
        verify_export(ledger_export.export(tmp_path / f"export-{number}", list(shown)), n_processes=1)


# --- Open requests -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("backed_up", [RequestState.UNDER_REVIEW, RequestState.APPROVED])
def test_what_had_passed_and_was_not_signed_is_approved_and_made_anew(
    live: ModelVersion, tmp_path: Path, backed_up: RequestState
) -> None:
    request_id = cast.brought_to(backed_up).request.pk
    backups.back_up(tmp_path / "backup")
    if backed_up == RequestState.UNDER_REVIEW:
        cast.decide(request_id)
    director.run_job(digits.planned_for(request_id).pk)
    publish()
    assert "OPEN: staff must look at it" in restored(tmp_path)
    assert (state_of(request_id), serving()) == (RequestState.ATTENTION, live.sha256)
    finish(request_id)
    assert state_of(request_id) == RequestState.COMPLETED
    assert not holds(serving(), cast.ALICE)
    assert_verifies(tmp_path, request_id)


def test_a_job_that_the_backup_shows_at_work_does_not_end_a_second_time(live: ModelVersion, tmp_path: Path) -> None:
    request_id = digits.approved()
    job = digits.planned_for(request_id)
    start_job(job.pk, actor=actors.worker(uuid.UUID(int=7, version=4)))
    backups.back_up(tmp_path / "backup")
    end_lease(job)
    director.run_job(job.pk)
    publish()
    restored(tmp_path)
    assert (Job.objects.get().state, state_of(request_id)) == (JobState.FAILED, RequestState.ATTENTION)
    sweep.sweep()
    finish(request_id)
    assert_verifies(tmp_path, request_id)


def test_a_request_whose_version_another_one_was_built_on_and_signed_is_completed_on_it(
    live: ModelVersion, tmp_path: Path
) -> None:
    alice = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.decide(alice)
    director.run_job(digits.planned_for(alice).pk)
    third = erase(digits.approved(cast.CHARLIE))
    publish()
    restored(tmp_path)
    assert (serving(), rows_of_alice()) == (third, 0)
    cast.decide(alice)
    plan(alice, actor=SYSTEM)
    cast.run_ledger()
    cast.second_signature(alice)
    assert (state_of(alice), serving()) == (RequestState.COMPLETED, third)
    assert_verifies(tmp_path)


def test_versions_that_are_made_anew_in_another_order_verify(live: ModelVersion, tmp_path: Path) -> None:
    """The last of them may be the very bytes that the other request made before."""
    alice, charlie = (cast.brought_to(RequestState.UNDER_REVIEW, who).request.pk for who in (cast.ALICE, cast.CHARLIE))
    backups.back_up(tmp_path / "backup")
    for request_id in (alice, charlie):
        cast.decide(request_id)
        director.run_job(digits.planned_for(request_id).pk)
    publish()
    restored(tmp_path)
    finish(charlie)
    finish(alice)
    assert not holds(serving(), cast.ALICE) and not holds(serving(), cast.CHARLIE)
    assert_verifies(tmp_path, alice, charlie)


def test_a_person_whose_request_is_lost_asks_again_and_the_same_version_is_made(
    live: ModelVersion, tmp_path: Path
) -> None:
    backups.back_up(tmp_path / "backup")
    lost = worked_on()
    publish()
    backups.restore(tmp_path / "backup")
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[0] == 0
    cast.run_ledger()
    again = digits.approved()
    erase(again)
    assert not DeletionRequest.objects.filter(pk=lost).exists()
    assert_verifies(tmp_path, again)


def test_an_exception_that_was_made_since_the_backup_stands(live: ModelVersion, tmp_path: Path) -> None:
    kept = cast.model_of("kept", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.leave_out(request_id, kept.pk)
    publish()
    restored(tmp_path)
    assert state_of(request_id) == RequestState.UNDER_REVIEW
    assert Target.objects.get(model=kept).state == TargetState.EXCEPTED
    # Its reasons, which the letter gives, are lost: staff say them again.
    cast.leave_out(request_id, kept.pk)
    finish(request_id)
    assert state_of(request_id) == RequestState.PARTLY_COMPLETED
    assert_verifies(tmp_path, request_id)


def test_an_exception_that_was_taken_back_since_the_backup_stands_no_more(live: ModelVersion, tmp_path: Path) -> None:
    kept = cast.model_of("kept", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    cast.leave_out(request_id, kept.pk)
    backups.back_up(tmp_path / "backup")
    cast.take_in(request_id, kept.pk)
    publish()
    restored(tmp_path)
    assert Target.objects.get(model=kept).state == TargetState.QUEUED
    cast.decide(request_id)
    plan(request_id, actor=SYSTEM)
    cast.run_ledger()
    assert Job.objects.filter(targets__request=request_id).count() == 2


@pytest.mark.parametrize("is_planned", [False, True])
def test_a_hold_that_was_put_on_since_the_backup_holds(live: ModelVersion, tmp_path: Path, is_planned: bool) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    if is_planned:
        cast.decide(request_id)
        digits.planned_for(request_id)
    backups.back_up(tmp_path / "backup")
    cast.hold(request_id, live.model_id)
    publish()
    restored(tmp_path)
    assert Target.objects.get(request=request_id).state == TargetState.HELD
    cast.decide(request_id)
    plan(request_id, actor=SYSTEM)
    cast.run_ledger()
    assert state_of(request_id) == RequestState.EXECUTING, "it waits for the hold"
    cast.let_go(request_id, live.model_id)
    cast.run_ledger()
    director.run_job(Job.objects.get(targets__request=request_id, state=JobState.QUEUED).pk)
    cast.second_signature(request_id)
    assert_verifies(tmp_path, request_id)


def test_whoever_proved_the_identity_since_is_not_asked_again(live: ModelVersion, tmp_path: Path) -> None:
    request_id = cast.brought_to(RequestState.IDENTITY_PENDING).request.pk
    backups.back_up(tmp_path / "backup")
    cast.prove(request_id)
    publish()
    restored(tmp_path)
    request = DeletionRequest.objects.get(pk=request_id)
    assert (request.state, request.pauses.filter(until_at=None).exists()) == (RequestState.UNDER_REVIEW, False)
    finish(request_id)
    assert_verifies(tmp_path, request_id)


# --- Who was not told ----------------------------------------------------------------------------------------------
def test_a_letter_that_was_not_sent_yet_is_owed_when_the_rows_hold_all_of_it(
    live: ModelVersion, tmp_path: Path
) -> None:
    request_id = worked_on()
    backups.back_up(tmp_path / "backup")
    cast.second_signature(request_id)
    publish()
    assert "the letter about it will be sent" in restored(tmp_path)
    letter = Letter.objects.get(request=request_id, kind=Letter.Kind.COMPLETED)
    assert (letter.sent_at, letter.n_tries) == (None, 0)
    assert Target.objects.get().state == TargetState.DEPLOYED
    summaries.summarise(request_id)
    goes_out(letter)
    assert_verifies(tmp_path, request_id)


def goes_out(letter: Letter) -> None:
    tasks.send_letter(letter.pk)
    letter.refresh_from_db()
    assert letter.sent_at is not None


def test_staff_write_where_what_the_letter_must_say_is_lost(live: ModelVersion, tmp_path: Path) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.decide(request_id)
    director.run_job(digits.planned_for(request_id).pk)
    cast.second_signature(request_id)
    publish()
    assert "write to them yourselves" in restored(tmp_path)
    letter = Letter.objects.get(request=request_id, kind=Letter.Kind.COMPLETED)
    assert (letter.sent_at, letter.n_tries) == (None, MAIL_TRIES)


def test_of_a_request_that_was_completed_in_part_the_exception_is_known_and_its_reasons_are_not(
    live: ModelVersion, tmp_path: Path
) -> None:
    kept = cast.model_of("kept", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.leave_out(request_id, kept.pk)
    cast.decide(request_id)
    director.run_job(digits.planned_for(request_id).pk)
    cast.second_signature(request_id)
    publish()
    assert "write to them yourselves" in restored(tmp_path)
    assert state_of(request_id) == RequestState.PARTLY_COMPLETED
    target = Target.objects.get(model=kept)
    assert (target.state, target.exception) == (TargetState.EXCEPTED, "art17_3_e")
    assert_verifies(tmp_path)


def test_of_a_refusal_the_reason_is_known_and_its_words_are_not(live: ModelVersion, tmp_path: Path) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.say_no(request_id)
    publish()
    assert "write to them yourselves" in restored(tmp_path)
    request = DeletionRequest.objects.get(pk=request_id)
    assert (request.state, request.refusal_reason, request.decided_at is not None) == ("refused", "art17_3_e", True)


def test_whoever_was_told_is_not_told_again(live: ModelVersion, tmp_path: Path) -> None:
    request_id = worked_on()
    backups.back_up(tmp_path / "backup")
    cast.second_signature(request_id)
    goes_out(Letter.objects.get(request=request_id, kind=Letter.Kind.COMPLETED))
    publish()
    assert "letter" not in restored(tmp_path)
    assert not Letter.objects.filter(request=request_id, kind=Letter.Kind.COMPLETED, sent_at=None).exists()


def test_a_token_lasts_as_long_as_it_did(live: ModelVersion, tmp_path: Path, settings: Settings) -> None:
    settings.SUPPRESSION_DAYS = 30
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    finish(request_id)
    publish()
    before = SuppressionToken.objects.get().expires_on
    restored(tmp_path)
    assert SuppressionToken.objects.get().expires_on == before is not None


# --- Lost rows -----------------------------------------------------------------------------------------------------
def test_a_lost_row_is_told_until_somebody_says_that_it_was_seen_to(live: ModelVersion, tmp_path: Path) -> None:
    backups.back_up(tmp_path / "backup")
    request_id = cast.ask().request.pk
    publish()
    backups.restore(tmp_path / "backup")
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[0] == 0
    code, said = run("replay_ledger", settings.LOG_DIR)
    assert (code, f"request {request_id}: its row is LOST" in said) == (1, True)
    code, said = run("replay_ledger", settings.LOG_DIR, "--accept-lost", str(request_id))
    assert (code, said.endswith(LACKS_NOTHING)) == (0, True), said
    other = str(uuid.uuid4())
    code, said = run("replay_ledger", settings.LOG_DIR, "--accept-lost", other)
    assert (code, f"{other} is not lost" in said) == (1, True), said
