"""States and who may move between them: data, no logic. Diagrams, buttons and tests are made from these tables.

Two levels. A request's state is legal and is read by people; a target (request × model) and a job say how far the
work is. Terminal states never reopen: a later finding becomes a new request.
"""

from django.db import models

from compliance.ledger.actors import Role


class RequestState(models.TextChoices):
    """What a data subject would be told."""

    RECEIVED = "received", "Received"
    IDENTITY_PENDING = "identity_pending", "Waiting for proof of identity"
    UNDER_REVIEW = "under_review", "Under review"
    APPROVED = "approved", "Approved"
    EXECUTING = "executing", "Models are being changed"
    VERIFYING = "verifying", "Models are being verified"
    ATTENTION = "attention", "Needs attention"
    SIGNOFF = "signoff", "Waiting for a second signature"
    COMPLETED = "completed", "Completed"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"


class TargetState(models.TextChoices):
    """How far one model is with one request."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PRODUCED = "produced", "New version made"
    PASSED = "passed", "Verified"
    FAILED = "failed", "Failed"
    INCONCLUSIVE = "inconclusive", "Inconclusive"
    NOT_PRESENT = "not_present", "Never saw the person"
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
_SUBJECT_OR_STAFF = frozenset({Role.SUBJECT, Role.OPERATOR, Role.DPO})

# (from, to) → the roles that may do it.
TRANSITIONS: dict[tuple[RequestState, RequestState], frozenset[Role]] = {
    (R.RECEIVED, R.IDENTITY_PENDING): _SYSTEM,
    (R.IDENTITY_PENDING, R.UNDER_REVIEW): frozenset({Role.SUBJECT}),
    (R.UNDER_REVIEW, R.APPROVED): _DPO,
    (R.UNDER_REVIEW, R.REFUSED): _DPO,
    (R.RECEIVED, R.WITHDRAWN): _SUBJECT_OR_STAFF,
    (R.IDENTITY_PENDING, R.WITHDRAWN): _SUBJECT_OR_STAFF,
    (R.UNDER_REVIEW, R.WITHDRAWN): _SUBJECT_OR_STAFF,
    (R.APPROVED, R.EXECUTING): _SYSTEM,
    # Nothing to execute: no registered model saw the person.
    (R.APPROVED, R.SIGNOFF): _SYSTEM,
    (R.APPROVED, R.ATTENTION): _SYSTEM,
    (R.EXECUTING, R.VERIFYING): _SYSTEM,
    (R.EXECUTING, R.ATTENTION): _SYSTEM,
    (R.VERIFYING, R.SIGNOFF): _SYSTEM,
    (R.VERIFYING, R.ATTENTION): _SYSTEM,
    (R.ATTENTION, R.EXECUTING): frozenset({Role.OPERATOR, Role.DPO}),
    (R.ATTENTION, R.APPROVED): _DPO,
    (R.SIGNOFF, R.COMPLETED): frozenset({Role.OPERATOR, Role.DPO}),
}
TERMINAL = frozenset({R.COMPLETED, R.REFUSED, R.WITHDRAWN})
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
