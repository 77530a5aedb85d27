"""The person takes the request back, as long as nothing was decided."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import clocks, transitions
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState


@transaction.atomic
def withdraw(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Raises NotFoundError, StateError (decided already) or ForbiddenActorError."""
    request = transitions.locked(request_id)
    is_proven = request.state in (RequestState.UNDER_REVIEW, RequestState.INFO_REQUESTED)
    now = datetime.now(tz=UTC)
    changes = {"closed_at": now}
    transitions.move(request, RequestState.WITHDRAWN, "request.withdrawn", actor=actor, facts={}, changes=changes)
    clocks.resume(request, now)
    if is_proven:
        # Before that, anyone could have mail sent to anybody.
        owe(request, Letter.Kind.WITHDRAWN)
    return request
