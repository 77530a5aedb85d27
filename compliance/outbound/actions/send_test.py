"""Somebody tries a webhook out: a message of the type webhook.test, signed and delivered like any other."""

import logging
import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import locking, notifying, permissions
from compliance.outbound.models import Delivery

logger = logging.getLogger(__name__)


@transaction.atomic
def send_test(webhook_id: uuid.UUID, *, actor: Actor) -> Delivery:
    """The delivery, sent after commit; raises NotFoundError, StateError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    webhook = locking.locked_active(webhook_id)
    delivery = notifying.tell(webhook, notifying.test_message(datetime.now(tz=UTC)))
    logger.info("webhook %s: tried out by %s %s", webhook.pk, actor.role.value, actor.id)
    return delivery
