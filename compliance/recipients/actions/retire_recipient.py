"""A recipient holds nothing of ours any more. What it is owed already stays owed."""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.recipients import locking, permissions, recipient_entries
from compliance.recipients.models import Recipient

logger = logging.getLogger(__name__)


@transaction.atomic
def retire_recipient(recipient_id: uuid.UUID, *, actor: Actor) -> Recipient:
    """For good; raises NotFoundError, StateError or ForbiddenActorError."""
    permissions.refuse_but(permissions.REGISTRARS, actor)
    recipient = locking.locked_recipient(recipient_id)
    recipient.is_active = False
    recipient.save(update_fields=["is_active"])
    recipient_entries.retired(recipient, actor=actor)
    logger.info("recipient %s: retired by %s %s", recipient.pk, actor.role.value, actor.id)
    return recipient
