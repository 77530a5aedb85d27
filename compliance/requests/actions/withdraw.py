"""The person takes the request back, as long as nothing was decided."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState


@transaction.atomic
def withdraw(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Raises NotFoundError, StateError (decided already) or ForbiddenActorError."""
    request = transitions.locked(request_id)
    is_proven = request.state == RequestState.UNDER_REVIEW
    changes = {"closed_at": datetime.now(tz=UTC)}
    transitions.move(request, RequestState.WITHDRAWN, "request.withdrawn", actor=actor, facts={}, changes=changes)
    if is_proven:
        # Before that, anyone could have mail sent to anybody.
        owe(request, Letter.Kind.WITHDRAWN)
    return request
