"""The DPO excepts one model from the deletion, for a reason the law gives; the person is told with the outcome.

That is a refusal in part: Art. 12(4) GDPR asks for reasons, the authority and the court as for a whole one.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor, Role
from compliance.requests import scope, transitions
from compliance.requests.actions.ask_question import seal, written
from compliance.requests.choices import chosen
from compliance.requests.errors import ForbiddenActorError, NotFoundError, NotReadyError, StateError
from compliance.requests.models import DeletionRequest, RefusalReason, SealedNote, Target
from compliance.requests.scope import ModelScope
from compliance.requests.states import RequestState, TargetState

#: Before the decision, and where a decision has to be made anew.
DECIDABLE = frozenset({RequestState.UNDER_REVIEW, RequestState.ATTENTION})


@transaction.atomic
def except_model(
    request_id: uuid.UUID, *, actor: Actor, model_id: uuid.UUID, reason: str, words: str
) -> DeletionRequest:
    """Except a model that holds the person. `words` are the facts behind the reason, and go into the letter.

    Raises InvalidInputError, NotFoundError, ForbiddenActorError, StateError, and NotReadyError for a model on hold
    while others are being changed.
    """
    given, text = chosen(RefusalReason, "reason", reason), written(words, "words")
    request = transitions.locked(request_id)
    refuse_but_dpo(actor)
    target = request.targets.filter(model_id=model_id).first()
    _refuse_wrong_state(request, target)
    share = share_of(request, model_id)
    if not share.n_records:
        raise StateError("This model never saw the person: there is nothing to except.")
    facts = {"model": str(model_id), "reason": given.value}
    transitions.note(request, "request.model_excepted", actor=actor, facts=facts)
    request.notes.filter(kind=SealedNote.Kind.REASONS, model_id=model_id).delete()
    seal(request, SealedNote.Kind.REASONS, text, datetime.now(tz=UTC), model_id)
    transitions.except_target(request, target, share, given)
    if request.state == RequestState.EXECUTING:
        # The scope that was approved held this model: it has to be approved anew.
        attention = {"reason": "scope_changed"}
        transitions.move(request, RequestState.ATTENTION, "request.attention", actor=actor, facts=attention)
    return request


def refuse_but_dpo(actor: Actor) -> None:
    """Raises ForbiddenActorError for every other role."""
    if actor.role != Role.DPO:
        raise ForbiddenActorError(f"What the law excepts takes the role dpo to say; you act as {actor.role.value}.")


def share_of(request: DeletionRequest, model_id: uuid.UUID) -> ModelScope:
    """What a registered model holds of the person; raises NotFoundError."""
    found = next((share for share in scope.current(request) if share.model == str(model_id)), None)
    if found is None:
        raise NotFoundError(f"There is no registered model {model_id}.")
    return found


def _refuse_wrong_state(request: DeletionRequest, target: Target | None) -> None:
    is_held = target is not None and target.state == TargetState.HELD
    if request.state == RequestState.EXECUTING and is_held:
        if request.targets.filter(state__in=(TargetState.QUEUED, TargetState.RUNNING, TargetState.PRODUCED)).exists():
            raise NotReadyError("Other models of this request are being changed. Except the one on hold after that.")
    elif request.state not in DECIDABLE:
        raise StateError(f"The request is {request.get_state_display()!r}; from there no model can be excepted.")
