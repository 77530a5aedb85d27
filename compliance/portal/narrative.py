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
        R.RECEIVED: Standing("A one-time code is about to be sent to the person.", EXPUNGE, "waiting"),
        R.IDENTITY_PENDING: Standing(
            "The person has been sent a one-time code. Once they enter it, the request can be decided.",
            PERSON,
            "waiting",
        ),
        R.UNDER_REVIEW: Standing(
            "The person has confirmed the address. The request is now approved on a legal ground, or refused with a reason.",
            DPO,
            "person",
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
        R.REFUSED: Standing("The person is told the reason and where they can complain.", NOBODY, "closed"),
        R.WITHDRAWN: Standing("The person took the request back. Nothing was changed.", NOBODY, "closed"),
    }
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
        R.APPROVED: 3,
        R.EXECUTING: 3,
        R.ATTENTION: 3,
        R.VERIFYING: 4,
        R.SIGNOFF: 5,
        R.COMPLETED: 6,
    }
)


@dataclass(frozen=True)
class Step:
    """One step of the way and whether it is `done`, `now`, `stopped` or `ahead`."""

    name: str
    status: str


def steps(state: RequestState, attention: str = "") -> list[Step]:
    """The way of a request in this state, stopped at an audit or before; one refused or withdrawn ends early."""
    if state is R.REFUSED:
        return [*(Step(name, "done") for name in _STEPS[:2]), Step("Refused", "done")]
    if state is R.WITHDRAWN:
        return [Step(_STEPS[0], "done"), Step("Withdrawn", "done")]
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
        "request.identity_requested": "One-time code issued",
        "request.identity_confirmed": "Identity confirmed",
        "request.approved": "Approved",
        "request.refused": "Refused",
        "request.withdrawn": "Withdrawn",
        "request.planned": "Work planned",
        "request.attention": "Stopped, needs attention",
        "request.retried": "Tried again",
        "request.completed": "Signed off and completed",
        "request.shredded": "Openings shredded",
        "job.started": "Job started",
        "job.recorded": "New version recorded",
        "job.failed": "Job failed",
        "findings.recorded": "Findings recorded",
        "evidence.attached": "Signed evidence attached",
        "model.registered": "Model registered",
        "version.registered": "Version registered",
        "version.destroyed": "Version destroyed",
        "key.published": "Key published",
        "key.retired": "Key retired",
        "key.distrusted": "Key no longer trusted",
        "log.opened": "New log begun",
    }
)
