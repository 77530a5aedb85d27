"""The person proves the address by the code that was sent to it (Art. 12(6) GDPR: no more than is needed)."""

import uuid
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.requests import identities, transitions
from compliance.requests.actions.request_identity import METHOD
from compliance.requests.errors import IdentityError, StateError
from compliance.requests.models import DeletionRequest, IdentityChallenge
from compliance.requests.states import RequestState

#: Control of the address alone: the lowest of the levels.
LEVEL = 1
_REFUSED = "The code is wrong, expired or used up. Ask for a new one, and enter it while it is valid."


def confirm_identity(request_id: uuid.UUID, *, actor: Actor, code: str) -> DeletionRequest:
    """Move to review; raises IdentityError with one sentence for every cause, so that nothing can be probed.

    A wrong try is counted in a transaction of its own: raising must not give it back.
    """
    if not _spend_try(request_id, code):
        raise IdentityError(_REFUSED)
    return _confirm(request_id, actor)


@transaction.atomic
def _spend_try(request_id: uuid.UUID, code: str) -> bool:
    request = transitions.locked(request_id)
    if request.state != RequestState.IDENTITY_PENDING:
        raise StateError(f"The request is {request.get_state_display()!r}: no code is expected.")
    live = IdentityChallenge.objects.filter(
        request_id=request_id, attempts_left__gt=0, expires_at__gt=datetime.now(tz=UTC)
    )
    # Counted before it is compared: parallel tries cannot share one.
    if live.update(attempts_left=F("attempts_left") - 1) != 1:
        return False
    challenge = IdentityChallenge.objects.get(request_id=request_id)
    return identities.same(challenge.code_hmac, identities.code_hmac(request_id, code))


@transaction.atomic
def _confirm(request_id: uuid.UUID, actor: Actor) -> DeletionRequest:
    request = transitions.locked(request_id)
    facts: dict[str, FactValue] = {"method": METHOD, "level": LEVEL}
    transitions.move(request, RequestState.UNDER_REVIEW, "request.identity_confirmed", actor=actor, facts=facts)
    IdentityChallenge.objects.filter(request=request).delete()
    return request
