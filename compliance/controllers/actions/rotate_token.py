"""A controller gets a new token. The one before stops working at once: it may have been lost."""

import logging
import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.controllers import controller_entries, locking, permissions, tokens
from compliance.ledger.actors import Actor

logger = logging.getLogger(__name__)


@transaction.atomic
def rotate_token(controller_id: uuid.UUID, *, actor: Actor) -> str:
    """The new token, shown once; raises UnknownControllerError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    controller = locking.locked_active(controller_id)
    token = tokens.new()
    controller.token_sha256, controller.token_at = tokens.digest(token), datetime.now(tz=UTC)
    controller.save(update_fields=["token_sha256", "token_at"])
    controller_entries.token_rotated(controller, actor=actor)
    logger.info("controller %s: token rotated by %s %s", controller.pk, actor.role.value, actor.id)
    return token
