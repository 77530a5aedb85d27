"""What a state means for the people in front of the screen: what happens next, who must act, which step it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compliance.requests.states import RequestState

R = RequestState
DPO, STAFF = "A data protection officer", "An operator or data protection officer"
EXPUNGE, PERSON, NOBODY = "Expunge", "The person", "Nobody: the request is closed"


@dataclass(frozen=True)
class Standing:
    """Where a request stands: what happens next, who must act, and how the badge looks."""

    sentence: str
    who: str
    tone: str


STANDINGS: Mapping[RequestState, Standing] = MappingProxyType(
    {
        R.RECEIVED: Standing("The person is about to be asked to prove who they are.", EXPUNGE, "waiting"),
        R.IDENTITY_PENDING: Standing(
            "The person has been asked to prove who they are. Once they have, the request can be decided.",
            PERSON,
            "waiting",
        ),
        R.UNDER_REVIEW: Standing(
            "The person has proven who they are. The request is now approved on a legal ground, or refused with a reason.",
            DPO,
            "person",
        ),
        R.INFO_REQUESTED: Standing(
            "The person has been asked a question. Once they answer, or staff settle it, the request can be decided.",
            PERSON,
            "waiting",
        ),
        R.APPROVED: Standing(
            "The decision is recorded and its scope is frozen. A job is planned for each model that saw the person.",
            EXPUNGE,
            "working",
        ),
        R.EXECUTING: Standing(
            "Each model is being made to forget the person. This page follows the work.", EXPUNGE, "working"
        ),
        R.VERIFYING: Standing(
            "New versions of the models exist. Audits now compare them with the old ones.", EXPUNGE, "working"
        ),
        R.ATTENTION: Standing(
            "The work has stopped. Read below what went wrong, then try again or approve a changed scope.",
            STAFF,
            "alarm",
        ),
        R.SIGNOFF: Standing(
            "The evidence is complete. A second person reads it and signs off; the new versions are then released.",
            "Someone other than the person who decided",
            "person",
        ),
        R.COMPLETED: Standing(
            "The new versions are released, our copies of the old ones are destroyed on a set date, and the person is told.",
            NOBODY,
            "done",
        ),
        R.PARTLY_COMPLETED: Standing(
            "Models have forgotten the person, others are excepted by law. The person is told both, and where they can complain.",
            NOBODY,
            "done",
        ),
        R.REFUSED: Standing("The person is told the reason and where they can complain.", NOBODY, "closed"),
        R.WITHDRAWN: Standing("The person took the request back. Nothing was changed.", NOBODY, "closed"),
        R.CLOSED_UNVERIFIED: Standing(
            "Nobody proved who asked. Nothing was changed, and a new request can be made at any time.", NOBODY, "closed"
        ),
    }
)
#: Instead of the standing of a request whose work has come to models on hold and to nothing else.
ON_HOLD = Standing(
    "A model is on hold. The work goes on once the hold is lifted, or the model is excepted. The dates run on.",
    STAFF,
    "person",
)
#: Work goes on without anyone at a keyboard: the page reloads itself.
WORKING = frozenset({R.APPROVED, R.EXECUTING, R.VERIFYING})
#: Nothing moves until a member of staff acts.
NEEDS_STAFF = (R.UNDER_REVIEW, R.ATTENTION, R.SIGNOFF)

# Reason codes that come from an audit begin like this.
_AUDIT = "audit_"
_STEPS = ("Receipt", "Identity", "Decision", "Change", "Verification", "Second signature")
# How many steps lie behind a request in this state.
_N_DONE: Mapping[RequestState, int] = MappingProxyType(
    {
        R.RECEIVED: 1,
        R.IDENTITY_PENDING: 1,
        R.UNDER_REVIEW: 2,
        R.INFO_REQUESTED: 2,
        R.APPROVED: 3,
        R.EXECUTING: 3,
        R.ATTENTION: 3,
        R.VERIFYING: 4,
        R.SIGNOFF: 5,
        R.COMPLETED: 6,
        R.PARTLY_COMPLETED: 6,
    }
)
# How many steps lie behind a request that ended without a change, and what its end is called.
_ENDS_EARLY: Mapping[RequestState, tuple[int, str]] = MappingProxyType(
    {
        R.REFUSED: (2, "Refused"),
        R.WITHDRAWN: (1, "Withdrawn"),
        R.CLOSED_UNVERIFIED: (1, "Closed, not proven"),
    }
)


@dataclass(frozen=True)
class Step:
    """One step of the way and whether it is `done`, `now`, `stopped` or `ahead`."""

    name: str
    status: str


def steps(state: RequestState, attention: str = "") -> list[Step]:
    """The way of a request in this state, stopped at an audit or before; one that comes to nothing ends early."""
    if state in _ENDS_EARLY:
        n_done, name = _ENDS_EARLY[state]
        return [*(Step(done, "done") for done in _STEPS[:n_done]), Step(name, "done")]
    n_done = _N_DONE[R.VERIFYING if attention.startswith(_AUDIT) else state]
    current = "stopped" if state is R.ATTENTION else "now"
    statuses = ["done"] * n_done + [current] + ["ahead"] * len(_STEPS)
    return [Step(name, status) for name, status in zip(_STEPS, statuses, strict=False)]


#: Why a request needs attention, by the code in its ledger entry.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "audit_failed": "An audit found that a new version did not forget. That version is rejected; see its findings.",
        "audit_inconclusive": "An audit could not tell whether a new version forgot. See its findings for the reasons.",
        "job_failed": "A job ended without a result. Its card below says why.",
        "worker_lost_repeatedly": "The worker was lost again and again during a job. Look at its log, then try again.",
        "scope_changed": "The models no longer hold what was approved. Read the new scope and approve it.",
        "no_method_in_policy": "The policy names no method for one of the model families. Add one, then approve again.",
        "method_not_installed": "No worker has the method that the policy names. Start one that has it, then approve again.",
        "audit_not_installed": "No worker has an audit that the policy names. Mend the policy, then approve again.",
    }
)
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "request.received": "Request received",
        "request.identity_requested": "Proof of identity asked for",
        "request.identity_confirmed": "Identity confirmed",
        "request.closed_unverified": "Closed, identity not proven",
        "request.question_asked": "Question asked",
        "request.question_answered": "Question answered or settled",
        "request.extended": "Period extended",
        "request.linked": "Linked to an earlier request",
        "request.model_excepted": "Model excepted",
        "request.model_included": "Exception taken back",
        "request.model_held": "Model put on hold",
        "request.model_released": "Hold lifted",
        "request.notified": "Person notified",
        "request.recipient_notified": "Recipient notified",
        "request.recipient_acknowledged": "Recipient acknowledged",
        "request.recipient_impossible": "Recipient not notified",
        "request.unveiled": "Identity read",
        "request.approved": "Approved",
        "request.refused": "Refused",
        "request.withdrawn": "Withdrawn",
        "request.planned": "Work planned",
        "request.attention": "Stopped, needs attention",
        "request.retried": "Tried again",
        "request.completed": "Signed off and completed",
        "request.partly_completed": "Signed off, completed in part",
        "request.shredded": "Openings shredded",
        "job.started": "Job started",
        "job.recorded": "New version recorded",
        "job.failed": "Job failed",
        "findings.recorded": "Findings recorded",
        "evidence.attached": "Signed evidence attached",
        "model.registered": "Model registered",
        "version.registered": "Version registered",
        "version.destroyed": "Version destroyed",
        "webhook.created": "Webhook made",
        "webhook.secret_rotated": "Webhook's secret changed",
        "webhook.disabled": "Webhook switched off",
        "controller.registered": "Controller registered",
        "controller.token_rotated": "Controller's token changed",
        "controller.deactivated": "Controller switched off",
        "recipient.registered": "Recipient registered",
        "recipient.changed": "Recipient changed",
        "recipient.retired": "Recipient retired",
        "suppression.lifted": "Person may return to training data",
        "key.published": "Key published",
        "key.retired": "Key retired",
        "key.distrusted": "Key no longer trusted",
        "log.opened": "New log begun",
    }
)
#: How an identity was proven, by the code in the ledger.
IDENTITY_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "email_code": "one-time code by e-mail",
        "oidc": "signed in at the identity provider",
        "manual": "checked by staff",
        "controller": "vouched for by another controller",
    }
)
#: What the person was sent, by the code in the ledger.
NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "receipt": "receipt of the request",
        "identity": "request for a proof of identity",
        "identity_reminder": "reminder of the proof of identity",
        "question": "question",
        "extension": "extension of the period",
        "completed": "completion",
        "partly_completed": "completion in part",
        "refused": "refusal",
        "withdrawn": "withdrawal",
        "closed_unverified": "closure without a proof of identity",
    }
)
