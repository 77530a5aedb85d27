"""Ask for a proof of identity: of the person a one-time code, of which only a keyed digest is kept."""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from compliance.evidence.leaf import FactValue
from compliance.identity import flood
from compliance.ledger.actors import Actor
from compliance.requests import clocks, identities, transitions
from compliance.requests.errors import StateError
from compliance.requests.models import Channel, DeletionRequest, IdentityChallenge, PauseReason
from compliance.requests.states import RequestState

METHOD = "email_code"
# What is left where a controller's word is not enough: the person has no way in here, and no mail from here.
BY_STAFF = "manual"


@transaction.atomic
def request_identity(request_id: uuid.UUID, *, actor: Actor) -> str:
    """A fresh code, which the caller mails after commit; an earlier one stops working. Empty where the person is not
    written to, because another controller passed the request on: then staff check the identity.

    Raises NotFoundError, StateError once identity is proven or the request is closed, and NotReadyError when the
    address was sent enough codes for this hour: the sweep asks again.
    """
    request = transitions.locked(request_id)
    if request.channel == Channel.OPENDSR:
        _record(request, actor, BY_STAFF)
        return ""
    flood.refuse_code(request)
    _record(request, actor, METHOD)
    code = identities.new_code()
    IdentityChallenge.objects.update_or_create(
        request=request,
        defaults={
            "code_hmac": identities.code_hmac(request.pk, code),
            "expires_at": datetime.now(tz=UTC) + timedelta(seconds=settings.IDENTITY_CODE_SECONDS),
            "attempts_left": settings.IDENTITY_CODE_ATTEMPTS,
            "sent_at": None,
        },
    )
    # Counted before it is mailed, so that an address that cannot be reached is not tried for ever.
    IdentityChallenge.objects.filter(request=request).update(n_tries=F("n_tries") + 1)
    return code


def _record(request: DeletionRequest, actor: Actor, method: str) -> None:
    facts: dict[str, FactValue] = {"method": method}
    if request.state == RequestState.RECEIVED:
        transitions.move(request, RequestState.IDENTITY_PENDING, "request.identity_requested", actor=actor, facts=facts)
        clocks.pause(request, PauseReason.IDENTITY, datetime.now(tz=UTC))
    elif request.state == RequestState.IDENTITY_PENDING and method == METHOD and _is_first_try(request):
        transitions.note(request, "request.identity_requested", actor=actor, facts=facts)
    elif request.state != RequestState.IDENTITY_PENDING:
        raise StateError("A code is only sent while the identity is still to be proven; this request is past that.")


def _is_first_try(request: DeletionRequest) -> bool:
    """A code that could not be mailed is replaced without a second entry: the person was not asked yet."""
    return not IdentityChallenge.objects.filter(request=request, n_tries__gt=0).exists()


def mark_code_sent(request_id: uuid.UUID) -> None:
    """The mail went out; until then the sweep asks again."""
    IdentityChallenge.objects.filter(request_id=request_id).update(sent_at=datetime.now(tz=UTC), n_tries=0)
