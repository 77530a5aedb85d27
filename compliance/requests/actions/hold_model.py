"""Staff stop a model from being changed for one request: a legal hold, or a restriction under Art. 18 GDPR.

A hold never forgets: the request waits for it, openly, and its dates run on.
"""

import uuid

from django.db import transaction

from compliance.ledger.actors import Actor, Role
from compliance.requests import transitions
from compliance.requests.actions.except_model import share_of
from compliance.requests.actions.fail_job import settle
from compliance.requests.choices import chosen
from compliance.requests.errors import ForbiddenActorError, StateError
from compliance.requests.models import DeletionRequest, HoldReason
from compliance.requests.states import RequestState

STAFF = (Role.OPERATOR, Role.DPO)
#: Where a hold makes sense, and where it can be lifted.
HOLDABLE = frozenset({RequestState.UNDER_REVIEW, RequestState.EXECUTING, RequestState.ATTENTION})


@transaction.atomic
def hold_model(request_id: uuid.UUID, *, actor: Actor, model_id: uuid.UUID, reason: str) -> DeletionRequest:
    """Hold a model whose job has not begun; raises InvalidInputError, NotFoundError, StateError, ForbiddenActorError."""
    given = chosen(HoldReason, "reason", reason)
    request = transitions.locked(request_id)
    refuse_but_staff(actor)
    if request.state not in HOLDABLE:
        raise StateError(f"The request is {request.get_state_display()!r}; from there no model can be held.")
    share = share_of(request, model_id)
    if not share.n_records:
        raise StateError("This model never saw the person: there is nothing to hold.")
    target = request.targets.filter(model_id=model_id).first()
    if target is None and request.state == RequestState.EXECUTING:
        raise StateError("This model is not part of what was approved: there is nothing to hold.")
    transitions.hold_target(request, target, share, given)
    facts = {"model": str(model_id), "reason": given.value}
    transitions.note(request, "request.model_held", actor=actor, facts=facts)
    settle(request, actor=actor, reason="job_failed")
    return request


def refuse_but_staff(actor: Actor) -> None:
    """Raises ForbiddenActorError for every other role."""
    if actor.role not in STAFF:
        raise ForbiddenActorError(f"Holding a model takes the role operator or dpo; you act as {actor.role.value}.")
