"""The only writer of a state. One call: lock already held, conditional UPDATE, ledger entry, in one transaction.

The law of this file:
- a move that is not in `states.TRANSITIONS` is refused, and so is an actor whose role may not make it;
- the UPDATE names the state and the chain head it expects; if no row matches, someone else was first;
- the entry goes into the ledger's outbox in the same transaction, so neither exists without the other.

Who locks more than one row locks in this order, and of one kind by primary key, so that no two wait for each other:

1. the job, the delivery or the recipient;
2. the requests: the one that is acted on, or those of the job;
3. what belongs to one request: its vault, notices, letters;
4. whether a model may be registered (suppression/registering.py);
5. models, and after them their versions;
6. the master keys (vault/switching.py), where something is sealed; who takes them from everybody locks no row.

Targets are changed under the lock of their request. Rows are locked without their keys (FOR NO KEY UPDATE), which never
change: PostgreSQL looks whether a foreign key exists as late as at COMMIT, and a row that is locked with its key makes
that wait, in whatever order it comes.

Next: compliance/ledger/record.py
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from compliance.controllers import notifications
from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.ledger.inserting import insert
from compliance.ledger.record import record_event
from compliance.outbound.event_types import event_type_of
from compliance.outbound.notifying import notify
from compliance.recipients import notices as recipient_notices
from compliance.requests.errors import ForbiddenActorError, NotFoundError, NotReadyError, StaleStateError, StateError
from compliance.requests.models import DeletionRequest, HoldReason, Job, Policy, RefusalReason, Target
from compliance.requests.scope import ModelScope
from compliance.requests.states import (
    EVENTS,
    JOB_TRANSITIONS,
    TARGET_TRANSITIONS,
    TO_BE_JUDGED,
    TO_BE_MADE,
    TRANSITIONS,
    UNSETTLED,
    WORK,
    JobState,
    RequestState,
    TargetState,
)


def locked(request_id: uuid.UUID) -> DeletionRequest:
    """The request, its row locked until the transaction ends; raises NotFoundError."""
    request = DeletionRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    return request


def locked_job(job_id: uuid.UUID) -> Job:
    """The job, its row locked until the transaction ends; raises NotFoundError."""
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    if job is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return job


def create(request: DeletionRequest, event: str, *, actor: Actor, facts: Mapping[str, FactValue]) -> None:
    """Store a new request in its first state with its first entry."""
    request.state = RequestState.RECEIVED
    request.chain_head = record_event(event, actor=actor, facts=facts, request_id=request.pk)
    insert(request)
    _tell_others(request)


def move(
    request: DeletionRequest,
    to: RequestState,
    event: str,
    *,
    actor: Actor,
    facts: Mapping[str, FactValue],
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Move a locked request to `to` and record it; `changes` are other columns that change with it.

    Raises StateError, ForbiddenActorError, StaleStateError.
    """
    _refuse_unless_allowed(request, to, actor, event)
    head = record_event(event, actor=actor, facts=facts, request_id=request.pk, previous=request.chain_head)
    _update(request, {"state": to, "chain_head": head, **(changes or {})})
    _tell_others(request)


def note(request: DeletionRequest, event: str, *, actor: Actor, facts: Mapping[str, FactValue]) -> None:
    """Record an event of a locked request that leaves its state as it is."""
    head = record_event(event, actor=actor, facts=facts, request_id=request.pk, previous=request.chain_head)
    _update(request, {"chain_head": head})


def move_on(request: DeletionRequest, to: RequestState, *, actor: Actor) -> None:
    """Move a locked request on the strength of an entry that the caller has just recorded in this transaction."""
    _refuse_unless_allowed(request, to, actor, WORK)
    _update(request, {"state": to})
    _tell_others(request)


def catch_up(request: DeletionRequest, *, chain_head: str, changes: Mapping[str, Any]) -> None:
    """Bring a locked row up to entries that the ledger has already, after a restore: its last one, and what they say of its
    state and other columns. These moves were checked when they were made; no entry is written, and nobody is told a second
    time."""
    _update(request, {"chain_head": chain_head, **changes})


def move_target(target: Target, to: TargetState) -> None:
    """Move a target; raises StateError or StaleStateError. Its entry is that of the action that calls."""
    old = TargetState(target.state)
    if (old, to) not in TARGET_TRANSITIONS:
        raise StateError(f"A target that is {old.label!r} cannot become {to.label!r}.")
    if Target.objects.filter(pk=target.pk, state=old).update(state=to) != 1:
        raise StaleStateError("The target was changed meanwhile. Read it again.")
    target.state = to


def rescope_target(target: Target, n_records: int, forget_commitment: str) -> None:
    """Give a target the share that is approved now, with which it begins anew; raises StateError or StaleStateError.

    A model on hold stays on hold, unless nothing of the person is left in it.
    """
    wanted = TargetState.QUEUED if n_records else TargetState.NOT_PRESENT
    if target.state != wanted and not (target.hold and n_records):
        move_target(target, wanted)
        Target.objects.filter(pk=target.pk).update(exception="", hold="")
    Target.objects.filter(pk=target.pk).update(n_records=n_records, forget_commitment=forget_commitment)


def except_target(request: DeletionRequest, target: Target | None, share: ModelScope, reason: RefusalReason) -> None:
    """Take one model out of what is to be deleted; raises StateError or StaleStateError."""
    target = _target_in(request, target, share, TargetState.EXCEPTED)
    Target.objects.filter(pk=target.pk).update(exception=reason, hold="")


def hold_target(request: DeletionRequest, target: Target | None, share: ModelScope, reason: HoldReason) -> None:
    """Keep one model as it is until the hold is lifted; raises StateError or StaleStateError.

    A job that waits for it finds nothing to do when its turn comes. The share stays the one that was approved.
    """
    target = _target_in(request, target, share, TargetState.HELD)
    Target.objects.filter(pk=target.pk).update(hold=reason)


def rescope_excepted(target: Target, share: ModelScope) -> None:
    """What an excepted model holds at the decision."""
    Target.objects.filter(pk=target.pk).update(**_columns(share))


def release_target(target: Target) -> None:
    """Lift the hold; raises StateError or StaleStateError."""
    move_target(target, TargetState.QUEUED)
    Target.objects.filter(pk=target.pk).update(hold="")
    target.hold = ""


def _target_in(request: DeletionRequest, target: Target | None, share: ModelScope, state: TargetState) -> Target:
    if target is None:
        return Target.objects.create(request=request, model_id=uuid.UUID(share.model), state=state, **_columns(share))
    if target.state != state:
        move_target(target, state)
    return target


def _columns(share: ModelScope) -> dict[str, Any]:
    return {"n_records": share.n_records, "forget_commitment": share.forget_commitment}


def next_state(request: DeletionRequest) -> RequestState:
    """Where its targets put a request whose work was begun.

    A target that is judged while its job still runs is not done: the signature is missing.
    """
    rows = list(request.targets.values_list("state", "job__state"))
    states = {TargetState(state) for state, _ in rows}
    if states & TO_BE_MADE:
        return RequestState.EXECUTING
    is_judging = bool(states & TO_BE_JUDGED) or JobState.RUNNING in {job for _, job in rows}
    if TargetState.HELD in states and (is_judging or not states & UNSETTLED):
        return RequestState.EXECUTING
    if is_judging:
        return RequestState.VERIFYING
    return RequestState.ATTENTION if states & UNSETTLED else RequestState.SIGNOFF


def policy_of(request: DeletionRequest) -> Policy:
    """The policy that the request was planned under; raises NotReadyError before there is one."""
    if request.policy is None:
        raise NotReadyError("The request has no plan yet. Approve it, and wait until it is planned.")
    return request.policy


def take_over(job: Job, *, owner: uuid.UUID, **changes: Any) -> None:
    """Give a running job whose lease ran out to a new owner; raises StaleStateError when another was faster."""
    expected = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, lease_owner=job.lease_owner)
    if expected.update(lease_owner=owner, **changes) != 1:
        raise StaleStateError("Another worker took the job. Leave it to that one.")
    job.refresh_from_db()


def move_job(job: Job, to: JobState, **changes: Any) -> None:
    """Move a job and write `changes` with it; raises StateError or StaleStateError."""
    old = JobState(job.state)
    if (old, to) not in JOB_TRANSITIONS:
        raise StateError(f"A job that is {old.label!r} cannot become {to.label!r}.")
    if Job.objects.filter(pk=job.pk, state=old, lease_owner=job.lease_owner).update(state=to, **changes) != 1:
        raise StaleStateError("The job was changed meanwhile. Read it again.")
    job.refresh_from_db()


def new_target(**fields: Any) -> Target:
    """A new target, queued or (with no records) not present."""
    state = TargetState.QUEUED if fields["n_records"] else TargetState.NOT_PRESENT
    return Target.objects.create(state=state, **fields)


def new_job(**fields: Any) -> Job:
    """A new queued job."""
    return Job.objects.create(state=JobState.QUEUED, queued_at=datetime.now(tz=UTC), **fields)


def allowed(request: DeletionRequest) -> set[RequestState]:
    """Where this request may go next, for buttons and messages."""
    return {to for (old, to) in TRANSITIONS if old == request.state}


def _refuse_unless_allowed(request: DeletionRequest, to: RequestState, actor: Actor, event: str) -> None:
    old = RequestState(request.state)
    roles = TRANSITIONS.get((old, to))
    # The same two states may lie at the ends of other moves: an answer, for one, proves no identity.
    if roles is None or event not in EVENTS[old, to]:
        raise StateError(f"The request is {old.label!r}; from there it cannot become {to.label!r}.")
    if actor.role not in roles:
        names = ", ".join(sorted(role.value for role in roles))
        raise ForbiddenActorError(f"{to.label!r} takes the role {names}; you act as {actor.role.value}.")


def _tell_others(request: DeletionRequest) -> None:
    """Messages about the new state are rows of this transaction; they go out after it."""
    notify(event_type_of(RequestState(request.state)), request.pk, request.changed_at)
    notifications.state_changed(request)
    if request.state == RequestState.SIGNOFF:
        recipient_notices.owe(request)


def _update(request: DeletionRequest, columns: dict[str, Any]) -> None:
    columns["changed_at"] = datetime.now(tz=UTC)
    expected = DeletionRequest.objects.filter(pk=request.pk, state=request.state, chain_head=request.chain_head)
    if expected.update(**columns) != 1:
        raise StaleStateError("The request was changed meanwhile. Read it again before you decide.")
    for name, value in columns.items():
        setattr(request, name, value)
