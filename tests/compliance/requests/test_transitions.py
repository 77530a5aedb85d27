"""The table of transitions, exhaustively: every pair of states and every role is allowed or refused as it says."""

import itertools
import threading
import uuid

import pytest
from django.db import connection, transaction

from compliance.ledger.actors import Actor, Role
from compliance.ledger.models import PendingEntry
from compliance.requests import transitions
from compliance.requests.errors import ForbiddenActorError, NotFoundError, RequestError, StaleStateError, StateError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import (
    EVENTS,
    JOB_TRANSITIONS,
    MOVES,
    TARGET_TRANSITIONS,
    TERMINAL,
    TRANSITIONS,
    WORK,
    JobState,
    RequestState,
    TargetState,
)
from tests.compliance import cast
from tests.compliance.evidence.test_leaf import any_event

EVENT = "request.attention"
FACTS: dict[str, str | int | list[str]] = {"reason": "job_failed"}
PAIRS = list(itertools.product(RequestState, RequestState))


def actor_of(role: Role) -> Actor:
    return Actor(role=role, id=uuid.uuid4())


def set_state(request: DeletionRequest, state: RequestState) -> DeletionRequest:
    DeletionRequest.objects.filter(pk=request.pk).update(state=state)
    request.refresh_from_db()
    return request


def go(request: DeletionRequest, to: RequestState, actor: Actor) -> None:
    """Move with the event that the table names, or with any where it names none."""
    event = min(EVENTS.get((RequestState(request.state), to), {EVENT}))
    if event == WORK:
        transitions.move_on(request, to, actor=actor)
    else:
        transitions.move(request, to, event, actor=actor, facts=any_event(event).facts)


@pytest.mark.django_db
def test_every_pair_and_every_role_is_decided_by_the_table() -> None:
    request = cast.ask().request
    for (old, new), role in itertools.product(PAIRS, Role):
        set_state(request, old)
        n_before = PendingEntry.objects.count()
        roles = TRANSITIONS.get((old, new))
        try:
            with transaction.atomic():
                go(request, new, actor_of(role))
            refused: RequestError | None = None
        except RequestError as error:
            refused = error
        request.refresh_from_db()
        if roles is not None and role in roles:
            assert refused is None, f"{role} must be able to move {old} to {new}: {refused}"
            n_new = int(EVENTS[old, new] != {WORK})
            assert (request.state, PendingEntry.objects.count()) == (new, n_before + n_new)
        else:
            expected = StateError if roles is None else ForbiddenActorError
            assert type(refused) is expected, f"{role} moved {old} to {new}: {refused!r}"
            assert (request.state, PendingEntry.objects.count()) == (old, n_before)


@pytest.mark.parametrize("event", sorted({move.event for move in MOVES} - {WORK}))
@pytest.mark.django_db
def test_an_event_moves_a_request_only_where_the_table_says(event: str) -> None:
    """An answer to a question, for one, must not bring a request to review whose identity was never proven."""
    request = cast.ask().request
    for move in MOVES:
        set_state(request, move.old)
        actor = actor_of(min(move.roles))
        if event in EVENTS[move.old, move.to]:
            continue
        with pytest.raises(StateError), transaction.atomic():
            transitions.move(request, move.to, event, actor=actor, facts={})
        request.refresh_from_db()
        assert request.state == move.old


def test_terminal_states_never_reopen_and_all_others_lead_on() -> None:
    left = {old for old, _ in TRANSITIONS}
    assert not left & TERMINAL
    assert left | TERMINAL == set(RequestState)


def test_every_state_can_be_reached_from_the_first() -> None:
    reached = {RequestState.RECEIVED}
    for _ in RequestState:
        reached |= {new for old, new in TRANSITIONS if old in reached}
    assert reached == set(RequestState)


def test_the_subject_alone_never_decides_and_an_auditor_never_acts() -> None:
    for (_, new), roles in TRANSITIONS.items():
        assert Role.AUDITOR not in roles
        assert Role.SUBJECT not in roles or new in {RequestState.UNDER_REVIEW, RequestState.WITHDRAWN}


@pytest.mark.django_db
def test_targets_and_jobs_move_as_their_tables_say() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    target = request.targets.get()
    job = target.job
    assert job is not None
    for old, new in itertools.product(TargetState, TargetState):
        type(target).objects.filter(pk=target.pk).update(state=old)
        target.refresh_from_db()
        if (old, new) in TARGET_TRANSITIONS:
            transitions.move_target(target, new)
            assert target.state == new
        else:
            with pytest.raises(StateError):
                transitions.move_target(target, new)
    for before, after in itertools.product(JobState, JobState):
        type(job).objects.filter(pk=job.pk).update(state=before)
        job.refresh_from_db()
        if (before, after) in JOB_TRANSITIONS:
            transitions.move_job(job, after)
            assert job.state == after
        else:
            with pytest.raises(StateError):
                transitions.move_job(job, after)


@pytest.mark.django_db
def test_a_change_based_on_an_old_reading_is_refused() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    stale = DeletionRequest.objects.get(pk=request.pk)
    cast.say_no(request.pk)
    with pytest.raises(StaleStateError), transaction.atomic():
        go(stale, RequestState.APPROVED, actor_of(Role.DPO))
    request.refresh_from_db()
    assert request.state == RequestState.REFUSED


@pytest.mark.django_db
def test_an_unknown_request_or_job_is_not_found() -> None:
    for look in (transitions.locked, transitions.locked_job):
        with pytest.raises(NotFoundError), transaction.atomic():
            look(uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_of_decisions_made_at_the_same_time_exactly_one_wins() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    n_before = PendingEntry.objects.count()
    barrier, outcomes = threading.Barrier(6), list[str]()
    cast.dana()

    def decide(number: int) -> None:
        try:
            barrier.wait()
            cast.decide(request.pk) if number % 2 else cast.say_no(request.pk)
            outcomes.append("done")
        except RequestError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("done") == 1
    assert len(outcomes) == 6
    request.refresh_from_db()
    assert request.state in {RequestState.APPROVED, RequestState.REFUSED}
    assert PendingEntry.objects.count() == n_before + 1
