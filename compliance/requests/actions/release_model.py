"""Staff lift a hold: where the work goes on, the model gets its job at once. From `attention` it is repeated, or approved
anew, with the others."""

import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.actions.hold_model import HOLDABLE, refuse_but_staff
from compliance.requests.actions.plan import new_job
from compliance.requests.actions.retry import record_new_job
from compliance.requests.errors import NotFoundError, StateError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState, TargetState


@transaction.atomic
def release_model(request_id: uuid.UUID, *, actor: Actor, model_id: uuid.UUID) -> DeletionRequest:
    """Raises NotFoundError for a model that is not on hold, StateError, ForbiddenActorError, or PolicyError."""
    request = transitions.locked(request_id)
    refuse_but_staff(actor)
    if request.state not in HOLDABLE:
        raise StateError(f"The request is {request.get_state_display()!r}; from there no hold is lifted.")
    target = request.targets.select_related("model", "job").filter(model_id=model_id, state=TargetState.HELD).first()
    if target is None:
        raise NotFoundError(f"The model {model_id} is not on hold for this request.")
    transitions.note(request, "request.model_released", actor=actor, facts={"model": str(model_id)})
    transitions.release_target(target)
    if request.policy is not None and request.state == RequestState.EXECUTING:
        record_new_job(request, actor, new_job(target, request.policy))
    return request
