"""The DPO takes more time, once, and tells the person so within the first period (Art. 12(3) GDPR).

The decision is recorded here. The date moves when the notice has gone out, and not before: an extension nobody was told
of is none.
"""

import logging
import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor, Role
from compliance.requests import clocks, transitions
from compliance.requests.choices import chosen
from compliance.requests.deadlines import extension_refusal
from compliance.requests.errors import ForbiddenActorError, StateError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, ExtensionReason, Letter

logger = logging.getLogger(__name__)


@transaction.atomic
def extend(request_id: uuid.UUID, *, actor: Actor, reason: str) -> DeletionRequest:
    """Owe the person the notice; raises InvalidInputError, NotFoundError, StateError or ForbiddenActorError."""
    given = chosen(ExtensionReason, "reason", reason)
    request = transitions.locked(request_id)
    if actor.role != Role.DPO:
        raise ForbiddenActorError(f"Extending a period takes the role dpo; you act as {actor.role.value}.")
    dates = clocks.deadlines(request)
    refusal = _refusal(request) or extension_refusal(dates, datetime.now(tz=UTC))
    if refusal is not None:
        raise StateError(refusal)
    due_date = dates.extended_target.due_date.isoformat()
    transitions.note(request, "request.extended", actor=actor, facts={"reason": given.value, "due_date": due_date})
    DeletionRequest.objects.filter(pk=request.pk).update(extension_reason=given)
    request.extension_reason = given
    owe(request, Letter.Kind.EXTENSION)
    return request


def notice_sent(request: DeletionRequest, sent_at: datetime) -> None:
    """The notice goes out now: the extended date holds. The request's row is locked.

    Raises StateError for a notice that comes too late: it would promise a date that does not hold, and is not mailed.
    """
    refusal = extension_refusal(clocks.deadlines(request), sent_at)
    if refusal is not None:
        logger.error("The extension of request %s does not hold: its notice came too late. %s", request.pk, refusal)
        raise StateError(f"The notice of the extension comes too late. {refusal} Answer the request.")
    clocks.extend(request, sent_at)


def _refusal(request: DeletionRequest) -> str | None:
    if request.closed_at is not None:
        return f"The request is {request.get_state_display()!r}: there is nothing left to extend."
    if request.extension_reason:
        return "A period is extended once, and for this request that was decided already."
    return None
