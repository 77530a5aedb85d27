"""The DPO refuses, on a ground the law gives (Art. 17(3), 12(5), 12(6), 11 GDPR); the person is told why and where to complain."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.choices import chosen
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Letter, RefusalReason
from compliance.requests.states import RequestState


@transaction.atomic
def refuse(request_id: uuid.UUID, *, actor: Actor, reason: str) -> DeletionRequest:
    """Raises InvalidInputError, NotFoundError, StateError or ForbiddenActorError."""
    given = chosen(RefusalReason, "reason", reason)
    request = transitions.locked(request_id)
    now = datetime.now(tz=UTC)
    transitions.move(
        request,
        RequestState.REFUSED,
        "request.refused",
        actor=actor,
        facts={"reason": given.value},
        changes={"refusal_reason": given, "decided_by": actor.id, "decided_at": now, "closed_at": now},
    )
    owe(request, Letter.Kind.REFUSED)
    return request
