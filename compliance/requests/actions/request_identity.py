"""Ask the person to prove that the address is theirs: a one-time code, of which only a keyed digest is kept."""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import identities, transitions
from compliance.requests.errors import StateError
from compliance.requests.models import IdentityChallenge
from compliance.requests.states import RequestState

METHOD = "email_code"


@transaction.atomic
def request_identity(request_id: uuid.UUID, *, actor: Actor) -> str:
    """A fresh code, which the caller mails after commit; an earlier one stops working.

    Raises NotFoundError, and StateError once identity is proven or the request is closed.
    """
    request = transitions.locked(request_id)
    if request.state == RequestState.RECEIVED:
        transitions.move(
            request,
            RequestState.IDENTITY_PENDING,
            "request.identity_requested",
            actor=actor,
            facts={"method": METHOD},
        )
    elif request.state == RequestState.IDENTITY_PENDING:
        transitions.note(request, "request.identity_requested", actor=actor, facts={"method": METHOD})
    else:
        raise StateError("A code is only sent while the identity is still to be proven; this request is past that.")
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
    return code


def mark_code_sent(request_id: uuid.UUID) -> None:
    """The mail went out; until then the sweep asks again."""
    IdentityChallenge.objects.filter(request_id=request_id).update(sent_at=datetime.now(tz=UTC))
