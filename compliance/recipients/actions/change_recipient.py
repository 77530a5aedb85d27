"""What is known of a recipient changes. A new address is used at once, also for what is still owed."""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.recipients import details, locking, notices, permissions, progress, recipient_entries
from compliance.recipients.actions.owe_awaited import owe_awaited
from compliance.recipients.details import Details
from compliance.recipients.models import Recipient

logger = logging.getLogger(__name__)


@transaction.atomic
def change_recipient(recipient_id: uuid.UUID, known: Details, *, actor: Actor) -> Recipient:
    """The recipient with these details; raises InvalidInputError, NotFoundError, StateError, ForbiddenActorError.

    Nothing more is sent to an earlier address.
    """
    permissions.refuse_but(permissions.REGISTRARS, actor)
    recipient = locking.locked_recipient(recipient_id)
    old_url = recipient.url
    details.apply(recipient, known)
    owed = locking.locked_owed(recipient)
    if recipient.url != old_url:
        for notice in owed:
            progress.begun_anew(notice)
            notices.deliver(notice)
    recipient_entries.changed(recipient, actor=actor)
    owe_awaited(actor=actor)
    logger.info("recipient %s: changed by %s %s", recipient.pk, actor.role.value, actor.id)
    return recipient
