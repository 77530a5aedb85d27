"""The DPO takes an exception back, before deciding: the model is to forget the person after all."""

import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.actions.except_model import DECIDABLE, refuse_but_dpo, share_of
from compliance.requests.errors import NotFoundError, StateError
from compliance.requests.models import DeletionRequest, SealedNote
from compliance.requests.states import TargetState


@transaction.atomic
def include_model(request_id: uuid.UUID, *, actor: Actor, model_id: uuid.UUID) -> DeletionRequest:
    """Raises NotFoundError for a model that is not excepted, StateError or ForbiddenActorError."""
    request = transitions.locked(request_id)
    refuse_but_dpo(actor)
    if request.state not in DECIDABLE:
        raise StateError(f"The request is {request.get_state_display()!r}; exceptions are decided before its approval.")
    target = request.targets.filter(model_id=model_id, state=TargetState.EXCEPTED).first()
    if target is None:
        raise NotFoundError(f"The model {model_id} is not excepted from this request.")
    share = share_of(request, model_id)
    transitions.note(request, "request.model_included", actor=actor, facts={"model": str(model_id)})
    # The letter must not give reasons for what is done after all.
    request.notes.filter(kind=SealedNote.Kind.REASONS, model_id=model_id).delete()
    transitions.rescope_target(target, share.n_records, share.forget_commitment)
    return request
