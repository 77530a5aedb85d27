"""The DPO takes more time, once, and tells the person so within the first period (Art. 12(3) GDPR).

The decision is recorded here. The date moves when the notice has gone out, and not before: an extension nobody was told
of is none. A processor has no extension of its own: where another controller passed the request on (OpenDSR), that one
answers the person, and extends (Art. 12(3), 28(3)(e) GDPR).
"""

import logging
import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.identity import proving
from compliance.ledger.actors import Actor, Role
from compliance.requests import clocks, transitions
from compliance.requests.choices import chosen
from compliance.requests.deadlines import extension_refusal
from compliance.requests.errors import ForbiddenActorError, StateError
from compliance.requests.letters import is_written_to, owe
from compliance.requests.models import DeletionRequest, ExtensionReason, Letter

logger = logging.getLogger(__name__)


@transaction.atomic
def extend(request_id: uuid.UUID, *, actor: Actor, reason: str) -> DeletionRequest:
    """Owe the person the notice; raises InvalidInputError, NotFoundError, StateError or ForbiddenActorError."""
    given = chosen(ExtensionReason, "reason", reason)
    request = transitions.locked(request_id)
    if actor.role != Role.DPO:
        raise ForbiddenActorError(f"Extending a period takes the role dpo; you act as {actor.role.value}.")
    refused = refusal(request, datetime.now(tz=UTC))
    if refused is not None:
        raise StateError(refused)
    due_date = clocks.deadlines(request).extended_target.due_date.isoformat()
    transitions.note(request, "request.extended", actor=actor, facts={"reason": given.value, "due_date": due_date})
    DeletionRequest.objects.filter(pk=request.pk).update(extension_reason=given)
    request.extension_reason = given
    owe(request, Letter.Kind.EXTENSION)
    return request


def notice_sent(request: DeletionRequest, sent_at: datetime) -> None:
    """The notice goes out now: the extended date holds. The request's row is locked.

    Raises StateError for a notice that comes too late: it would promise a date that does not hold, and is not mailed.
    """
    refused = extension_refusal(clocks.deadlines(request), sent_at)
    if refused is not None:
        logger.error("The extension of request %s does not hold: its notice came too late. %s", request.pk, refused)
        raise StateError(f"The notice of the extension comes too late. {refused} Answer the request.")
    clocks.extend(request, sent_at)


def refusal(request: DeletionRequest, now: datetime) -> str | None:
    """Why this period cannot be extended now, in words; None where it can. For pages that offer it, too."""
    return _refusal_of_state(request) or extension_refusal(clocks.deadlines(request), now)


def _refusal_of_state(request: DeletionRequest) -> str | None:
    if not is_written_to(request):
        return (
            "Another controller passed this request on. It answers the person, and it alone extends the period (Art. 12(3) "
            "GDPR): tell it that more time is needed, while it can still tell the person."
        )
    if request.state in proving.WAITING:
        return (
            "Nobody has proven that this request is theirs, so the notice could reach a stranger. Extend the period once "
            "the identity is proven."
        )
    if request.closed_at is not None:
        return f"The request is {request.get_state_display()!r}: there is nothing left to extend."
    if request.extension_reason:
        return "A period is extended once, and for this request that was decided already."
    return None
