"""The identity was never proven: the request is closed by its due date, and the person is told (Art. 12(4), 12(6) GDPR).

Nothing is lost by it: the same person may ask again at any time.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.identity import flood, silence
from compliance.ledger.actors import Actor
from compliance.requests import clocks, transitions
from compliance.requests.errors import NotReadyError, StateError
from compliance.requests.letters import is_written_to, owe
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter
from compliance.requests.states import RequestState


@transaction.atomic
def close_unverified(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Raises NotFoundError, ForbiddenActorError, StateError, and NotReadyError before the day, before a reminder was
    given (silence.py), or while the address is sent too much: the sweep asks again."""
    request = transitions.locked(request_id)
    now = datetime.now(tz=UTC)
    _refuse_too_early(request, now)
    if is_written_to(request):
        flood.refuse_letter(request)
    transitions.move(
        request,
        RequestState.CLOSED_UNVERIFIED,
        "request.closed_unverified",
        actor=actor,
        facts={},
        changes={"closed_at": now},
    )
    clocks.resume(request, now)
    IdentityChallenge.objects.filter(request=request).delete()
    owe(request, Letter.Kind.CLOSED_UNVERIFIED)
    return request


def _refuse_too_early(request: DeletionRequest, now: datetime) -> None:
    if request.state != RequestState.IDENTITY_PENDING:
        raise StateError(f"The request is {request.get_state_display()!r}: no proof of identity is waited for.")
    closing_date = silence.closing_date(request)
    if silence.today(now) < closing_date:
        raise NotReadyError(f"The person may still prove the identity until {closing_date}.")
    if not silence.is_reminded(request):
        raise NotReadyError("The person was not reminded yet. Send the reminder before the request is closed.")
