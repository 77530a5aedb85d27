"""States and who may move between them: data, no logic. Diagrams, buttons and tests are made from these tables.

Two levels. A request's state is legal and is read by people; a target (request × model) and a job say how far the
work is. Terminal states never reopen: a later finding becomes a new request.
"""

from typing import NamedTuple

from django.db import models

from compliance.ledger.actors import Role


class RequestState(models.TextChoices):
    """What a data subject would be told."""

    RECEIVED = "received", "Received"
    IDENTITY_PENDING = "identity_pending", "Waiting for proof of identity"
    UNDER_REVIEW = "under_review", "Under review"
    INFO_REQUESTED = "info_requested", "Waiting for an answer of the person"
    APPROVED = "approved", "Approved"
    EXECUTING = "executing", "Models are being changed"
    VERIFYING = "verifying", "Models are being verified"
    ATTENTION = "attention", "Needs attention"
    SIGNOFF = "signoff", "Waiting for a second signature"
    COMPLETED = "completed", "Completed"
    PARTLY_COMPLETED = "partly_completed", "Completed in part"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    CLOSED_UNVERIFIED = "closed_unverified", "Closed, identity not proven"


class TargetState(models.TextChoices):
    """How far one model is with one request."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PRODUCED = "produced", "New version made"
    PASSED = "passed", "Verified"
    FAILED = "failed", "Failed"
    INCONCLUSIVE = "inconclusive", "Inconclusive"
    NOT_PRESENT = "not_present", "Never saw the person"
    EXCEPTED = "excepted", "Excepted by law"
    HELD = "held", "On hold"
    DEPLOYED = "deployed", "Released"


class JobState(models.TextChoices):
    """One run of a method on one model. A lost lease moves a running job to a new worker, not to another state."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


R, T, J = RequestState, TargetState, JobState
_SYSTEM = frozenset({Role.SYSTEM, Role.WORKER})
_DPO = frozenset({Role.DPO})
_STAFF = frozenset({Role.OPERATOR, Role.DPO})
_PERSON_OR_STAFF = _STAFF | {Role.SUBJECT}
# Whoever speaks for the person: a controller that passed the request on may take it back, too.
_MAY_WITHDRAW = _PERSON_OR_STAFF | {Role.CONTROLLER}


class Move(NamedTuple):
    """One row of the table: the event that brings a request from one state to another, and the roles that may do it."""

    event: str
    old: RequestState
    to: RequestState
    roles: frozenset[Role]


#: The entry of the work itself (of a job, of its findings or evidence) moves the request on.
WORK = "work"
_ASKED_FOR = ("request.identity_requested", "request.identity_confirmed", "request.closed_unverified")
_WITHDRAWN, _ATTENTION, _PLANNED = "request.withdrawn", "request.attention", "request.planned"
MOVES: tuple[Move, ...] = (
    Move(_ASKED_FOR[0], R.RECEIVED, R.IDENTITY_PENDING, _SYSTEM),
    # Another controller, or a signed-in account, vouches for the person.
    Move(_ASKED_FOR[1], R.RECEIVED, R.UNDER_REVIEW, frozenset({Role.CONTROLLER}) | _PERSON_OR_STAFF),
    Move(_ASKED_FOR[1], R.IDENTITY_PENDING, R.UNDER_REVIEW, _PERSON_OR_STAFF),
    Move(_ASKED_FOR[2], R.IDENTITY_PENDING, R.CLOSED_UNVERIFIED, _SYSTEM),
    Move("request.question_asked", R.UNDER_REVIEW, R.INFO_REQUESTED, _STAFF),
    Move("request.question_answered", R.INFO_REQUESTED, R.UNDER_REVIEW, _PERSON_OR_STAFF),
    Move("request.approved", R.UNDER_REVIEW, R.APPROVED, _DPO),
    Move("request.refused", R.UNDER_REVIEW, R.REFUSED, _DPO),
    Move(_WITHDRAWN, R.RECEIVED, R.WITHDRAWN, _MAY_WITHDRAW),
    Move(_WITHDRAWN, R.IDENTITY_PENDING, R.WITHDRAWN, _MAY_WITHDRAW),
    Move(_WITHDRAWN, R.UNDER_REVIEW, R.WITHDRAWN, _MAY_WITHDRAW),
    Move(_WITHDRAWN, R.INFO_REQUESTED, R.WITHDRAWN, _MAY_WITHDRAW),
    Move(_PLANNED, R.APPROVED, R.EXECUTING, _SYSTEM),
    # Nothing to execute: no registered model saw the person.
    Move(_PLANNED, R.APPROVED, R.SIGNOFF, _SYSTEM),
    Move(_ATTENTION, R.APPROVED, R.ATTENTION, _SYSTEM),
    Move("job.recorded", R.EXECUTING, R.VERIFYING, _SYSTEM),
    Move(WORK, R.EXECUTING, R.VERIFYING, _SYSTEM),
    # Staff: a hold on the last model beside one that failed, or an exception of one on hold.
    Move(_ATTENTION, R.EXECUTING, R.ATTENTION, _SYSTEM | _STAFF),
    Move(WORK, R.VERIFYING, R.SIGNOFF, _SYSTEM),
    Move(_ATTENTION, R.VERIFYING, R.ATTENTION, _SYSTEM),
    Move("request.retried", R.ATTENTION, R.EXECUTING, _STAFF),
    Move("request.approved", R.ATTENTION, R.APPROVED, _DPO),
    # Where the law excepts every model after all. Not once a model was verified without the person (refuse.py).
    Move("request.refused", R.ATTENTION, R.REFUSED, _DPO),
    Move("request.completed", R.SIGNOFF, R.COMPLETED, _STAFF),
    Move("request.partly_completed", R.SIGNOFF, R.PARTLY_COMPLETED, _STAFF),
    # Instead of the signature: since the decision a model was registered that holds the person, or learned them again.
    Move(_ATTENTION, R.SIGNOFF, R.ATTENTION, _STAFF),
)
# (from, to) → the roles that may do it.
TRANSITIONS: dict[tuple[RequestState, RequestState], frozenset[Role]] = {
    (move.old, move.to): move.roles for move in MOVES
}
EVENTS: dict[tuple[RequestState, RequestState], frozenset[str]] = {
    pair: frozenset(move.event for move in MOVES if (move.old, move.to) == pair) for pair in TRANSITIONS
}
TERMINAL = frozenset({R.COMPLETED, R.PARTLY_COMPLETED, R.REFUSED, R.WITHDRAWN, R.CLOSED_UNVERIFIED})
#: Ended with models changed, or found not to hold the person.
FULFILLED = frozenset({R.COMPLETED, R.PARTLY_COMPLETED})
# States in which the next step is the system's: what the sweep looks for when a message was lost.
AWAITING_SYSTEM = frozenset({R.RECEIVED, R.APPROVED, R.EXECUTING, R.VERIFYING})

# What a request with a target in one of these still waits for.
TO_BE_MADE = frozenset({T.QUEUED, T.RUNNING})
TO_BE_JUDGED = frozenset({T.PRODUCED})
UNSETTLED = frozenset({T.FAILED, T.INCONCLUSIVE})

TARGET_TRANSITIONS: frozenset[tuple[TargetState, TargetState]] = frozenset(
    {
        (T.QUEUED, T.RUNNING),
        (T.QUEUED, T.FAILED),
        (T.RUNNING, T.PRODUCED),
        (T.RUNNING, T.FAILED),
        (T.PRODUCED, T.PASSED),
        (T.PRODUCED, T.FAILED),
        (T.PRODUCED, T.INCONCLUSIVE),
        (T.FAILED, T.QUEUED),
        (T.INCONCLUSIVE, T.QUEUED),
        # Approved anew after another request removed the same records, or brought others to light.
        (T.QUEUED, T.NOT_PRESENT),
        (T.FAILED, T.NOT_PRESENT),
        (T.INCONCLUSIVE, T.NOT_PRESENT),
        (T.NOT_PRESENT, T.QUEUED),
        # The same after a version was verified, and a later one learned the person again.
        (T.PASSED, T.QUEUED),
        # A hold stops what has not begun, and excepting a model ends it.
        (T.QUEUED, T.HELD),
        (T.FAILED, T.HELD),
        (T.INCONCLUSIVE, T.HELD),
        (T.HELD, T.QUEUED),
        (T.HELD, T.NOT_PRESENT),
        (T.EXCEPTED, T.QUEUED),
        (T.EXCEPTED, T.NOT_PRESENT),
        (T.NOT_PRESENT, T.EXCEPTED),
        (T.QUEUED, T.EXCEPTED),
        (T.HELD, T.EXCEPTED),
        (T.FAILED, T.EXCEPTED),
        (T.INCONCLUSIVE, T.EXCEPTED),
        (T.PASSED, T.DEPLOYED),
    }
)
JOB_TRANSITIONS: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        (J.QUEUED, J.RUNNING),
        (J.QUEUED, J.FAILED),
        (J.RUNNING, J.SUCCEEDED),
        (J.RUNNING, J.FAILED),
    }
)
