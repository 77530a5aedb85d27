"""A webhook gets a new secret. The one before signs beside it for a day."""

import logging
import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import locking, permissions, webhook_entries, webhook_secrets

logger = logging.getLogger(__name__)


@transaction.atomic
def rotate_secret(webhook_id: uuid.UUID, *, actor: Actor) -> str:
    """The new secret, shown once; raises NotFoundError, StateError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    webhook = locking.locked_active(webhook_id)
    now = datetime.now(tz=UTC)
    webhook_secrets.retire(webhook, now)
    secret = webhook_secrets.add(webhook, now)
    webhook_entries.secret_rotated(webhook, actor=actor)
    logger.info("webhook %s: secret rotated by %s %s", webhook.pk, actor.role.value, actor.id)
    return secret
