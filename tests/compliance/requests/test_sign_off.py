"""The second signature: what it looks at again, who may not give it, and which versions serve after it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence.verdict import Verdict
from compliance.evidence.verify import verify_bundle
from compliance.ledger import actors
from compliance.ledger.actors import Actor, Role
from compliance.registry.manifests import manifest_sha256
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.pseudonyms import pseudonym_of
from compliance.reports import ledger_export
from compliance.reports.request_bundle import export
from compliance.requests import queries
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.errors import ForbiddenActorError, NotReadyError, ScopeDriftError, StateError
from compliance.requests.models import DeletionRequest, Job, Letter, Target
from compliance.requests.states import FULFILLED, RequestState, TargetState
from tests.compliance import cast
from tests.compliance.requests.test_interleavings import TWO, judge, sign

pytestmark = pytest.mark.django_db
NO_SIGNERS = [role for role in Role if role not in (Role.OPERATOR, Role.DPO)]


def state_of(request: DeletionRequest) -> str:
    return DeletionRequest.objects.get(pk=request.pk).state


def model(name: str) -> RegisteredModel:
    return RegisteredModel.objects.select_related("live", "head").get(name=name)


def target_of(request: DeletionRequest, name: str) -> Target:
    return Target.objects.get(request=request, model__name=name)


def learn(name: str, email: str) -> None:
    """A version that was trained on one new record of this person is registered and serves."""
    learner, last = model(name), ModelVersion.objects.filter(model__name=name).latest("number")
    manifest = cast.manifest_of(f"{name} anew", last.number + 1)
    version = ModelVersion.objects.create(
        model=learner,
        number=last.number + 1,
        sha256=manifest_sha256(manifest),
        manifest=manifest,
        status=VersionState.LIVE,
        n_records=last.n_records + 1,
        commitment_key=b"k" * 32,
        registered_at=datetime.now(tz=UTC),
    )
    LineageRecord.objects.create(
        model=learner, record_id=f"{name}-anew", subject_pseudonym=pseudonym_of("email", email), added_in=version
    )
    learner.versions.exclude(pk=version.pk).update(status=VersionState.SUPERSEDED)
    RegisteredModel.objects.filter(pk=learner.pk).update(head=version, live=version)


def assert_verifies(request: DeletionRequest) -> None:
    cast.run_ledger()
    verify_bundle(export(request.pk))


def is_served(name: str, email: str) -> bool:
    """Whether the version in service knows this person: the slow way, over every row."""
    live = model(name).live
    assert live is not None
    rows = LineageRecord.objects.filter(model__name=name, subject_pseudonym=pseudonym_of("email", email))
    return any(row.removed_in is None or row.removed_in.number > live.number for row in rows)


def waiting() -> DeletionRequest:
    """Alice's request before its second signature: one model forgot her, one keeps her by law, one never saw her."""
    cast.model_of("spam", cast.ALICE)
    kept = cast.model_of("kept", cast.ALICE)
    cast.model_of("stranger", cast.CHARLIE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    cast.leave_out(request.pk, kept.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request.pk)
    assert state_of(request) == RequestState.SIGNOFF
    return request


def come_to_the_end(request: DeletionRequest) -> None:
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(request.pk)


# --- What the models hold is looked at again ------------------------------------------------------------------------


def _the_law_keeps_less() -> None:
    LineageRecord.objects.filter(model__name="kept").update(removed_in=model("kept").head)


CHANGES: dict[str, Callable[[], object]] = {
    "a model that holds her was registered": lambda: cast.model_of("late", cast.ALICE),
    "a model that never saw her learned her": lambda: learn("stranger", cast.ALICE),
    "the model that forgot her learned her again": lambda: learn("spam", cast.ALICE),
    "the model that is excepted learned more of her": lambda: learn("kept", cast.ALICE),
    "the model that is excepted holds nothing any more": _the_law_keeps_less,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_nobody_decided_on_stops_the_signature_and_is_stored(change: Callable[[], object]) -> None:
    request = waiting()
    change()
    before = {name: model(name).live for name in ("spam", "kept", "stranger")}
    operator = actors.staff(cast.bob(), Role.OPERATOR)
    with pytest.raises(ScopeDriftError, match="Not signed off"):
        sign_off(request.pk, actor=operator)
    assert state_of(request) == RequestState.ATTENTION
    entry = queries.timeline(request.pk)[-1]
    assert (entry.event_type, dict(entry.facts)) == ("request.attention", {"reason": "scope_changed"})
    assert (entry.actor_role, entry.actor_id) == ("operator", str(operator.id))
    assert {name: model(name).live for name in before} == before
    assert not Letter.objects.filter(request=request, kind__endswith="completed").exists()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_request_that_was_stopped_comes_to_its_end_when_it_is_approved_anew(change: Callable[[], object]) -> None:
    request = waiting()
    verified = target_of(request, "spam").job_id
    change()
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    come_to_the_end(request)
    assert state_of(request) in FULFILLED
    kept = set(request.targets.filter(state=TargetState.EXCEPTED).values_list("model__name", flat=True))
    assert (state_of(request) == RequestState.PARTLY_COMPLETED) == bool(kept)
    for found in RegisteredModel.objects.all():
        assert is_served(found.name, cast.ALICE) == (found.name in kept)
    learned_again = LineageRecord.objects.filter(record_id="spam-anew").exists()
    assert (target_of(request, "spam").job_id == verified) != learned_again, "what is verified stays so"
    assert_verifies(request)


@pytest.mark.parametrize("is_disclosed", [True, False], ids=["disclosed", "undisclosed"])
def test_the_whole_ledger_verifies_with_a_request_that_was_stopped(tmp_path: Path, is_disclosed: bool) -> None:
    request = waiting()
    cast.model_of("late", cast.ALICE)
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    come_to_the_end(request)
    cast.run_ledger()
    # It is verified before it is given out.
    ledger_export.export(tmp_path / "export", [request.pk] if is_disclosed else [])


def test_a_model_that_never_saw_the_person_stops_nothing() -> None:
    request = waiting()
    cast.model_of("late", cast.CHARLIE)
    cast.second_signature(request.pk)
    assert state_of(request) == RequestState.PARTLY_COMPLETED
    assert_verifies(request)


def test_a_late_model_may_be_excepted_and_the_request_is_completed_in_part() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.SIGNOFF).request
    late = cast.model_of("late", cast.ALICE)
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    cast.leave_out(request.pk, late.pk)
    come_to_the_end(request)
    assert state_of(request) == RequestState.PARTLY_COMPLETED
    assert_verifies(request)


def test_a_late_model_may_be_held_and_the_request_waits_for_it() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.SIGNOFF).request
    late = cast.model_of("late", cast.ALICE)
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    cast.hold(request.pk, late.pk)
    for step in (cast.decide, cast.make_plan):
        step(request.pk)
    assert state_of(request) == RequestState.EXECUTING
    cast.let_go(request.pk, late.pk)
    cast.run_ledger()
    for step in (cast.work, cast.second_signature):
        step(request.pk)
    assert state_of(request) == RequestState.COMPLETED
    assert_verifies(request)


def test_repeating_is_no_way_past_a_new_approval() -> None:
    request = waiting()
    learn("spam", cast.ALICE)
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    with pytest.raises(StateError, match="Approve it"):
        cast.try_again(request.pk)


@pytest.mark.parametrize("role", NO_SIGNERS, ids=str)
def test_whoever_may_not_sign_does_not_stop_the_request_either(role: Role) -> None:
    request = waiting()
    cast.model_of("late", cast.ALICE)
    n_entries = len(queries.timeline(request.pk))
    with pytest.raises(ForbiddenActorError):
        sign_off(request.pk, actor=Actor(role=role, id=uuid.uuid4()))
    assert (state_of(request), len(queries.timeline(request.pk))) == (RequestState.SIGNOFF, n_entries)


@pytest.mark.parametrize("state", [state for state in RequestState if state != RequestState.SIGNOFF], ids=str)
def test_a_late_model_moves_no_request_that_waits_for_no_signature(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    cast.model_of("late", cast.ALICE)
    with pytest.raises(StateError):
        cast.second_signature(request.pk)
    assert state_of(request) == state


# --- Four eyes ------------------------------------------------------------------------------------------------------


def dora() -> Actor:
    """A second data protection officer."""
    return actors.staff(cast.staff("dora", Role.DPO), Role.DPO)


def excepted_by_dora(request: DeletionRequest, kept: RegisteredModel) -> None:
    except_model(request.pk, actor=dora(), model_id=kept.pk, reason="art17_3_e", words="A suit is pending.")


def test_whoever_excepted_a_model_does_not_sign_though_somebody_else_approved() -> None:
    cast.model_of("spam", cast.ALICE)
    kept = cast.model_of("kept", cast.ALICE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    excepted_by_dora(request, kept)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request.pk)
    for position in ("waiting for its position", "in the log"):
        with pytest.raises(ForbiddenActorError, match="excepted a model"):
            sign_off(request.pk, actor=dora())
        assert state_of(request) == RequestState.SIGNOFF, position
        cast.run_ledger()
    cast.second_signature(request.pk)
    assert state_of(request) == RequestState.PARTLY_COMPLETED


def test_the_last_one_who_excepted_a_model_is_who_decided_on_it() -> None:
    cast.model_of("spam", cast.ALICE)
    kept = cast.model_of("kept", cast.ALICE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    excepted_by_dora(request, kept)
    cast.take_in(request.pk, kept.pk)
    cast.leave_out(request.pk, kept.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request.pk)
    assert sign_off(request.pk, actor=dora()).state == RequestState.PARTLY_COMPLETED


def test_whoever_excepted_a_model_signs_once_the_exception_is_taken_back() -> None:
    """Also where a colleague excepted another one, which stays excepted."""
    cast.model_of("spam", cast.ALICE)
    kept, other = cast.model_of("kept", cast.ALICE), cast.model_of("other", cast.ALICE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    excepted_by_dora(request, kept)
    cast.leave_out(request.pk, other.pk)
    cast.take_in(request.pk, kept.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request.pk)
    assert sign_off(request.pk, actor=dora()).state == RequestState.PARTLY_COMPLETED


# --- Which versions serve -------------------------------------------------------------------------------------------


def crossed() -> tuple[DeletionRequest, DeletionRequest]:
    """Alice asked twice about two models, and each request removed her records from one of them."""
    cast.model_of("first", cast.ALICE)
    cast.model_of("second", cast.ALICE)
    one, two = (cast.brought_to(RequestState.EXECUTING).request for _ in range(2))
    cast.run_job(job_on(one, "first"))
    cast.run_job(job_on(two, "second"))
    for request in (one, two):
        # What is queued finds that the other request was there first.
        with pytest.raises(AssertionError, match="held by another"):
            cast.work(request.pk)
        for step in (cast.decide, cast.make_plan):
            step(request.pk)
        assert state_of(request) == RequestState.SIGNOFF
    return one, two


def job_on(request: DeletionRequest, name: str) -> Job:
    (job,) = [job for job in cast.queued_jobs(request.pk) if job.model.name == name]
    return job


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the first before the second", "the second before the first"])
def test_two_requests_of_one_person_do_not_wait_for_each_other(order: tuple[int, int]) -> None:
    requests = crossed()
    for number in order:
        cast.second_signature(requests[number].pk)
        assert state_of(requests[number]) == RequestState.COMPLETED
        assert not any(is_served(name, cast.ALICE) for name in ("first", "second"))
    for request in requests:
        assert request.targets.filter(state=TargetState.DEPLOYED).count() == 1
        assert_verifies(request)


def test_the_version_of_the_other_request_serves_and_the_old_one_is_dated() -> None:
    one, two = crossed()
    old = model("second").live
    cast.second_signature(one.pk)
    assert old is not None
    old.refresh_from_db()
    assert (old.status, old.destroy_after is not None) == (VersionState.SUPERSEDED, True)
    assert (model("second").live, state_of(two)) == (model("second").head, RequestState.SIGNOFF)
    assert target_of(two, "second").state == TargetState.PASSED, "nothing is claimed for the other request"


def test_a_request_does_not_wait_while_another_of_the_same_person_is_on_hold() -> None:
    cast.model_of("spam", cast.ALICE)
    held = cast.model_of("held", cast.ALICE)
    slow = cast.brought_to(RequestState.UNDER_REVIEW).request
    cast.hold(slow.pk, held.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(slow.pk)
    quick = cast.brought_to(RequestState.SIGNOFF).request
    cast.second_signature(quick.pk)
    assert (state_of(slow), state_of(quick)) == (RequestState.EXECUTING, RequestState.COMPLETED)
    assert not is_served("spam", cast.ALICE) and not is_served("held", cast.ALICE)


def test_a_version_that_somebody_who_shares_a_record_had_made_serves_too() -> None:
    cast.model_of("spam", cast.ALICE)
    LineageRecord.objects.bulk_create(
        LineageRecord(
            model=row.model,
            record_id=row.record_id,
            subject_pseudonym=pseudonym_of("email", cast.CHARLIE),
            added_in=row.added_in,
        )
        for row in LineageRecord.objects.filter(subject_pseudonym=pseudonym_of("email", cast.ALICE))
    )
    charlies = cast.brought_to(RequestState.SIGNOFF, cast.CHARLIE).request
    alices = cast.brought_to(RequestState.SIGNOFF).request
    assert alices.targets.get().state == TargetState.NOT_PRESENT
    cast.second_signature(alices.pk)
    assert not is_served("spam", cast.ALICE)
    assert state_of(charlies) == RequestState.SIGNOFF


def test_a_version_whose_evidence_is_not_signed_does_not_serve_for_another_request() -> None:
    cast.model_of("spam", cast.ALICE)
    first = cast.brought_to(RequestState.EXECUTING).request
    job = job_on(first, "spam")
    judge(job, Verdict.PASS)
    second = cast.brought_to(RequestState.SIGNOFF).request
    before = model("spam").live
    with pytest.raises(NotReadyError, match="not attached yet"):
        cast.second_signature(second.pk)
    assert (state_of(second), model("spam").live) == (RequestState.SIGNOFF, before)
    sign(job, TWO)
    cast.second_signature(second.pk)
    assert not is_served("spam", cast.ALICE)
    cast.second_signature(first.pk)
    for request in (first, second):
        assert_verifies(request)


def test_a_newer_version_of_somebody_else_is_left_to_their_signature() -> None:
    cast.model_of("spam", cast.ALICE, cast.CHARLIE)
    alices = cast.brought_to(RequestState.SIGNOFF).request
    charlies = cast.brought_to(RequestState.SIGNOFF, cast.CHARLIE).request
    cast.second_signature(alices.pk)
    assert not is_served("spam", cast.ALICE) and is_served("spam", cast.CHARLIE)
    cast.second_signature(charlies.pk)
    assert not is_served("spam", cast.CHARLIE)


# --- What the decision takes back -----------------------------------------------------------------------------------


def test_a_hold_on_what_another_request_removed_is_lifted_by_the_approval_and_says_so() -> None:
    spam = cast.model_of("spam", cast.ALICE)
    first, second = (cast.brought_to(RequestState.UNDER_REVIEW).request for _ in range(2))
    cast.hold(second.pk, spam.pk)
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(first.pk)
    cast.decide(second.pk)
    assert (target_of(second, "spam").state, target_of(second, "spam").hold) == (TargetState.NOT_PRESENT, "")
    assert "request.model_released" in [entry.event_type for entry in queries.timeline(second.pk)]
    cast.make_plan(second.pk)
    cast.second_signature(second.pk)
    assert_verifies(second)
