"""A webhook is told nothing more. What still waits for it ends unsent; its alarms end; its secrets are destroyed."""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import locking, notifying, permissions, steps, webhook_entries
from compliance.outbound.models import Webhook

logger = logging.getLogger(__name__)


@transaction.atomic
def deactivate(webhook_id: uuid.UUID, *, actor: Actor) -> Webhook:
    """For good; raises NotFoundError, StateError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    webhook = locking.locked_active(webhook_id)
    webhook.is_active = False
    webhook.save(update_fields=["is_active"])
    webhook.secrets.all().delete()
    steps.end_alarms(notifying.KIND, webhook.messages.values_list("pk", flat=True))
    webhook_entries.disabled(webhook, actor=actor)
    logger.info("webhook %s: deactivated by %s %s", webhook.pk, actor.role.value, actor.id)
    return webhook
