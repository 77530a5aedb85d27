"""Single models of a request: excepted by law, taken in again, held and released; and what that makes of the request."""

import uuid

import pytest

from compliance.evidence.verdict import Verdict
from compliance.ledger import actors
from compliance.ledger.actors import Role
from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.requests import queries, scope
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import ForbiddenActorError, InvalidInputError, NotFoundError, NotReadyError, StateError
from compliance.requests.models import DeletionRequest, Job, Letter, Target
from compliance.requests.states import JobState, RequestState, TargetState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
DPO_ALONE = [role for role in Role if role != Role.DPO]


@pytest.fixture
def spam() -> RegisteredModel:
    return cast.model_of("spam", cast.ALICE)


@pytest.fixture
def reviewed(spam: RegisteredModel) -> DeletionRequest:
    return cast.brought_to(RequestState.UNDER_REVIEW).request


def state_of(request: DeletionRequest) -> str:
    request.refresh_from_db()
    return str(request.state)


def target_of(request: DeletionRequest, model: RegisteredModel) -> Target:
    return Target.objects.get(request=request, model=model)


def events(request: DeletionRequest) -> list[str]:
    return [entry.event_type for entry in queries.timeline(request.pk)]


# --- Exceptions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", DPO_ALONE, ids=str)
def test_only_the_dpo_excepts(reviewed: DeletionRequest, spam: RegisteredModel, role: Role) -> None:
    actor = actors.Actor(role=role, id=uuid.uuid4())
    with pytest.raises(ForbiddenActorError):
        except_model(reviewed.pk, actor=actor, model_id=spam.pk, reason="art17_3_e", words="A suit.")


@pytest.mark.parametrize(("reason", "words"), [("art99", "A suit."), ("art17_3_e", "  ")])
def test_an_exception_needs_a_reason_of_law_and_the_facts(
    reviewed: DeletionRequest, spam: RegisteredModel, reason: str, words: str
) -> None:
    actor = actors.staff(cast.dana(), Role.DPO)
    with pytest.raises(InvalidInputError):
        except_model(reviewed.pk, actor=actor, model_id=spam.pk, reason=reason, words=words)
    assert not Target.objects.exists()


def test_a_model_that_never_saw_the_person_is_neither_excepted_nor_held(reviewed: DeletionRequest) -> None:
    other = cast.model_of("other", cast.CHARLIE)
    with pytest.raises(StateError, match="never saw"):
        cast.leave_out(reviewed.pk, other.pk)
    with pytest.raises(StateError, match="never saw"):
        cast.hold(reviewed.pk, other.pk)
    with pytest.raises(NotFoundError):
        cast.hold(reviewed.pk, uuid.uuid4())


def test_where_every_model_is_excepted_the_request_is_refused_instead(
    reviewed: DeletionRequest, spam: RegisteredModel
) -> None:
    cast.leave_out(reviewed.pk, spam.pk)
    with pytest.raises(StateError, match="Refuse the request"):
        cast.decide(reviewed.pk)


@pytest.mark.parametrize("state", [RequestState.APPROVED, RequestState.EXECUTING, RequestState.SIGNOFF], ids=str)
def test_what_was_approved_is_not_excepted_behind_the_decision(spam: RegisteredModel, state: RequestState) -> None:
    request = cast.brought_to(state).request
    with pytest.raises(StateError):
        cast.leave_out(request.pk, spam.pk)


def test_an_exception_taken_back_leaves_a_whole_request(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    cast.leave_out(reviewed.pk, spam.pk)
    cast.take_in(reviewed.pk, spam.pk)
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(reviewed.pk)
    assert state_of(reviewed) == RequestState.COMPLETED
    assert target_of(reviewed, spam).exception == ""


def test_a_request_with_an_exception_is_completed_in_part_and_says_so(
    reviewed: DeletionRequest, spam: RegisteredModel
) -> None:
    kept = cast.model_of("kept", cast.ALICE)
    cast.leave_out(reviewed.pk, kept.pk)
    assert [share.exception for share in scope.current(reviewed)] == ["art17_3_e", ""]
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(reviewed.pk)
    assert state_of(reviewed) == RequestState.PARTLY_COMPLETED
    assert target_of(reviewed, kept).state == TargetState.EXCEPTED
    assert target_of(reviewed, spam).state == TargetState.DEPLOYED
    assert "request.partly_completed" in events(reviewed)
    assert reviewed.letters.get().kind == Letter.Kind.PARTLY_COMPLETED
    kept.refresh_from_db()
    assert kept.live == kept.versions.get(), "the model that was excepted is as it was"


def test_an_exception_changes_the_scope_that_a_page_showed(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    before = scope.commit(reviewed, scope.current(reviewed))
    cast.model_of("kept", cast.ALICE)
    cast.leave_out(reviewed.pk, spam.pk)
    assert scope.commit(reviewed, scope.current(reviewed)) != before


def test_an_exception_of_what_another_request_removed_is_taken_back(spam: RegisteredModel) -> None:
    first, second = (cast.brought_to(RequestState.UNDER_REVIEW).request for _ in range(2))
    cast.leave_out(second.pk, spam.pk)
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(first.pk)
    cast.decide(second.pk)
    assert target_of(second, spam).state == TargetState.NOT_PRESENT
    assert "request.model_included" in events(second)


# --- Holds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SUBJECT, Role.AUDITOR, Role.SYSTEM, Role.CONTROLLER], ids=str)
def test_only_staff_hold_and_release(reviewed: DeletionRequest, spam: RegisteredModel, role: Role) -> None:
    from compliance.requests.actions.hold_model import hold_model
    from compliance.requests.actions.release_model import release_model

    actor = actors.Actor(role=role, id=uuid.uuid4())
    with pytest.raises(ForbiddenActorError):
        hold_model(reviewed.pk, actor=actor, model_id=spam.pk, reason="legal_claims")
    cast.hold(reviewed.pk, spam.pk)
    with pytest.raises(ForbiddenActorError):
        release_model(reviewed.pk, actor=actor, model_id=spam.pk)


def test_what_is_not_held_is_not_released(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    with pytest.raises(NotFoundError, match="not on hold"):
        cast.let_go(reviewed.pk, spam.pk)


def test_a_model_that_is_being_changed_is_not_held(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.VERIFYING).request
    with pytest.raises(StateError):
        cast.hold(request.pk, spam.pk)


def test_a_hold_before_the_decision_keeps_the_model_out_of_the_plan_until_it_is_lifted(
    reviewed: DeletionRequest, spam: RegisteredModel
) -> None:
    cast.hold(reviewed.pk, spam.pk)
    cast.decide(reviewed.pk)
    cast.make_plan(reviewed.pk)
    assert (state_of(reviewed), target_of(reviewed, spam).state) == (RequestState.EXECUTING, TargetState.HELD)
    assert not Job.objects.exists()
    cast.let_go(reviewed.pk, spam.pk)
    cast.run_ledger()
    cast.work(reviewed.pk)
    assert state_of(reviewed) == RequestState.SIGNOFF
    cast.second_signature(reviewed.pk)
    assert state_of(reviewed) == RequestState.COMPLETED


def test_a_hold_takes_the_model_from_a_job_that_waits(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.EXECUTING).request
    cast.hold(request.pk, spam.pk)
    (job,) = Job.objects.all()
    assert job.state == JobState.QUEUED
    assert start_job(job.pk, actor=actors.worker(cast.WORKER_ID)) is None
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert target_of(request, spam).state == TargetState.HELD
    assert state_of(request) == RequestState.EXECUTING


def test_one_model_on_hold_keeps_nothing_from_the_others(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    other = cast.model_of("other", cast.ALICE)
    cast.hold(reviewed.pk, spam.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(reviewed.pk)
    assert target_of(reviewed, other).state == TargetState.PASSED
    assert state_of(reviewed) == RequestState.EXECUTING
    cast.let_go(reviewed.pk, spam.pk)
    cast.run_ledger()
    cast.work(reviewed.pk)
    assert state_of(reviewed) == RequestState.SIGNOFF


def test_a_failure_beside_a_hold_comes_to_attention_and_can_be_repeated(
    reviewed: DeletionRequest, spam: RegisteredModel
) -> None:
    cast.model_of("other", cast.ALICE)
    cast.hold(reviewed.pk, spam.pk)
    for step in (cast.decide, cast.make_plan, cast.break_down):
        step(reviewed.pk)
    assert state_of(reviewed) == RequestState.ATTENTION
    cast.try_again(reviewed.pk)
    cast.run_ledger()
    cast.work(reviewed.pk)
    assert state_of(reviewed) == RequestState.EXECUTING
    cast.let_go(reviewed.pk, spam.pk)
    cast.run_ledger()
    cast.work(reviewed.pk, Verdict.PASS)
    assert state_of(reviewed) == RequestState.SIGNOFF


def test_a_hold_that_became_an_exception_needs_a_new_decision(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    cast.model_of("other", cast.ALICE)
    cast.hold(reviewed.pk, spam.pk)
    for step in (cast.decide, cast.make_plan):
        step(reviewed.pk)
    with pytest.raises(NotReadyError, match="being changed"):
        cast.leave_out(reviewed.pk, spam.pk)
    cast.work(reviewed.pk)
    cast.leave_out(reviewed.pk, spam.pk)
    assert state_of(reviewed) == RequestState.ATTENTION
    for step in (cast.decide, cast.make_plan):
        step(reviewed.pk)
    assert state_of(reviewed) == RequestState.SIGNOFF
    cast.second_signature(reviewed.pk)
    assert state_of(reviewed) == RequestState.PARTLY_COMPLETED


def test_a_model_that_nobody_approved_is_not_held_while_others_are_changed(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.EXECUTING).request
    late = cast.model_of("late", cast.ALICE)
    with pytest.raises(StateError, match="approved"):
        cast.hold(request.pk, late.pk)


def test_a_closed_request_releases_nothing(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    cast.hold(reviewed.pk, spam.pk)
    cast.take_back(reviewed.pk)
    with pytest.raises(StateError, match="no hold is lifted"):
        cast.let_go(reviewed.pk, spam.pk)


# --- What was approved is what is done ------------------------------------------------------------------------------


def fail_only(request: DeletionRequest, *failing: RegisteredModel) -> None:
    """A worker breaks down on these models and comes through on the others."""
    for job in cast.queued_jobs(request.pk):
        if job.model in failing:
            start_job(job.pk, actor=actors.worker(cast.WORKER_ID))
            fail_job(job.pk, actor=actors.worker(cast.WORKER_ID), reason="out_of_memory")
        else:
            cast.run_job(job)


def test_an_exception_after_the_approval_cannot_slip_past_a_new_one(spam: RegisteredModel) -> None:
    """Or the one who excepted could sign off what nobody else decided."""
    kept = cast.model_of("kept", cast.ALICE)
    cast.model_of("third", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    fail_only(request, spam, kept)
    cast.leave_out(request.pk, kept.pk)
    with pytest.raises(StateError, match="Approve it anew"):
        cast.try_again(request.pk)


def test_an_exception_taken_back_needs_a_new_approval(reviewed: DeletionRequest, spam: RegisteredModel) -> None:
    kept = cast.model_of("kept", cast.ALICE)
    cast.leave_out(reviewed.pk, kept.pk)
    for step in (cast.decide, cast.make_plan, cast.break_down):
        step(reviewed.pk)
    cast.take_in(reviewed.pk, kept.pk)
    with pytest.raises(StateError, match="Approve it anew"):
        cast.try_again(reviewed.pk)
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(reviewed.pk)
    assert state_of(reviewed) == RequestState.COMPLETED


def test_holding_and_releasing_makes_no_job_for_a_model_that_nobody_approved(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.ATTENTION).request
    late = cast.model_of("late", cast.ALICE)
    cast.hold(request.pk, late.pk)
    cast.let_go(request.pk, late.pk)
    assert cast.queued_jobs(request.pk) == []
    with pytest.raises(StateError, match="Approve it anew"):
        cast.try_again(request.pk)


def test_holding_and_releasing_changes_no_share_that_was_approved(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.EXECUTING).request
    approved = target_of(request, spam).forget_commitment
    stranger = LineageRecord.objects.filter(model=spam).exclude(subject_pseudonym=request.vault.pseudonym).first()
    assert stranger is not None
    LineageRecord.objects.filter(pk=stranger.pk).update(subject_pseudonym=request.vault.pseudonym)
    cast.hold(request.pk, spam.pk)
    assert target_of(request, spam).forget_commitment == approved


def test_a_hold_on_the_last_model_beside_one_that_failed_comes_to_attention(spam: RegisteredModel) -> None:
    other = cast.model_of("other", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    (job,) = [job for job in cast.queued_jobs(request.pk) if job.model == other]
    start_job(job.pk, actor=actors.worker(cast.WORKER_ID))
    fail_job(job.pk, actor=actors.worker(cast.WORKER_ID), reason="out_of_memory")
    cast.hold(request.pk, spam.pk)
    assert state_of(request) == RequestState.ATTENTION


def test_the_jobs_of_a_model_are_counted_over_a_hold(spam: RegisteredModel) -> None:
    request = cast.brought_to(RequestState.ATTENTION).request
    cast.hold(request.pk, spam.pk)
    cast.let_go(request.pk, spam.pk)
    cast.try_again(request.pk)
    assert [job.number for job in cast.queued_jobs(request.pk)] == [2]
