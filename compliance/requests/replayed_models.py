"""After a restore the models of a request stand where the ledger says: excepted, on hold, released, or to begin anew.

Called under the lock of the request, by replay_request.py. What an exception was reasoned with is lost with the backup:
staff give the reasons again, by excepting the model once more.
"""

import uuid
from collections.abc import Sequence

from compliance.evidence.leaf import Event
from compliance.requests import scope, transitions
from compliance.requests.ledger_story import RequestStory
from compliance.requests.models import DeletionRequest, HoldReason, RefusalReason, Target
from compliance.requests.states import TargetState

_DECISIONS = frozenset(
    {
        *("request.approved", "request.planned", "request.attention", "request.retried"),
        *("request.model_excepted", "request.model_included", "request.model_held", "request.model_released"),
    }
)
_WORK = ("job.", "findings.")
#: From each state, the moves of transitions.py that lead to `queued`, from where everything can be said of a model.
_TO_QUEUED = {
    TargetState.RUNNING: (TargetState.FAILED, TargetState.QUEUED),
    TargetState.PRODUCED: (TargetState.FAILED, TargetState.QUEUED),
    TargetState.PASSED: (TargetState.QUEUED,),
    TargetState.FAILED: (TargetState.QUEUED,),
    TargetState.INCONCLUSIVE: (TargetState.QUEUED,),
    TargetState.NOT_PRESENT: (TargetState.QUEUED,),
}


def is_concerned(events: Sequence[Event]) -> bool:
    """Whether something was decided on models, or done to them."""
    return any(event.type in _DECISIONS or event.type.startswith(_WORK) for event in events)


def take_over(request: DeletionRequest, story: RequestStory, events: Sequence[Event], *, is_begun: bool) -> None:
    """The targets of an open request as they have to be for its next decision.

    What passed in the backup already and was not touched since stays. Everything else that was begun counts as failed.
    """
    touched = _touched(events)
    kept = story.kept
    for target in request.targets.all():
        is_left = target.state == TargetState.PASSED and target.pk not in touched
        if not is_left and (target.model_id in kept or target.state != TargetState.NOT_PRESENT):
            _to_queued(target)
    _keep(request, kept)
    if is_begun:
        for target in request.targets.filter(state=TargetState.QUEUED):
            transitions.move_target(target, TargetState.FAILED)


def take_over_released(request: DeletionRequest, story: RequestStory, events: Sequence[Event]) -> None:
    """The targets of a completed request: what had passed is in service, and what was excepted is said to be."""
    touched, kept = _touched(events), story.kept
    for target in request.targets.all():
        if target.state == TargetState.PASSED and target.pk not in touched:
            transitions.move_target(target, TargetState.DEPLOYED)
        elif target.model_id in kept:
            _to_queued(target)
    _keep(request, kept)


def _touched(events: Sequence[Event]) -> set[uuid.UUID]:
    return {uuid.UUID(str(event.facts["target"])) for event in events if "target" in event.facts}


def _to_queued(target: Target) -> None:
    if target.state == TargetState.HELD:
        transitions.release_target(target)
    elif target.state == TargetState.EXCEPTED:
        transitions.rescope_target(target, target.n_records, target.forget_commitment)
    else:
        for state in _TO_QUEUED.get(TargetState(target.state), ()):
            transitions.move_target(target, state)


def _keep(request: DeletionRequest, kept: dict[uuid.UUID, Event]) -> None:
    """Exceptions and holds, of models that the register still knows."""
    shares = {uuid.UUID(share.model): share for share in scope.preview(request)} if kept else {}
    for model_id, event in kept.items():
        target = request.targets.filter(model_id=model_id).first()
        if model_id not in shares:
            continue
        if event.type == "request.model_excepted":
            reason = RefusalReason(event.text("reason"))
            transitions.except_target(request, target, shares[model_id], reason)
        else:
            transitions.hold_target(request, target, shares[model_id], HoldReason(event.text("reason")))
