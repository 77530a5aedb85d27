"""An organisation was given data or models: from now on it is told when one of them forgets a person."""

import logging
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from compliance.ledger.actors import Actor
from compliance.recipients import details, permissions, recipient_entries
from compliance.recipients.actions.owe_awaited import owe_awaited
from compliance.recipients.details import Details
from compliance.recipients.models import Recipient
from compliance.requests.errors import InvalidInputError

logger = logging.getLogger(__name__)


@transaction.atomic
def register_recipient(name: str, known: Details, *, actor: Actor) -> Recipient:
    """A new recipient, which is also owed notices of requests that wait for sign-off.

    Raises InvalidInputError and ForbiddenActorError.
    """
    permissions.refuse_but(permissions.REGISTRARS, actor)
    recipient = Recipient(name=details.checked_name(name), created_by=actor.id, created_at=datetime.now(tz=UTC))
    try:
        with transaction.atomic():
            details.apply(recipient, known)
    except IntegrityError as error:
        raise InvalidInputError(f"name: expected one that is free, found {name!r}, which is taken.") from error
    recipient_entries.registered(recipient, actor=actor)
    owe_awaited(actor=actor)
    logger.info("recipient %s: registered by %s %s", recipient.pk, actor.role.value, actor.id)
    return recipient
