"""A delivery that ended is sent anew, under the same id: a receiver that has it already can tell."""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import permissions, steps
from compliance.outbound.models import Delivery

logger = logging.getLogger(__name__)


@transaction.atomic
def redeliver(delivery_id: uuid.UUID, *, actor: Actor) -> Delivery:
    """The delivery, pending again; raises NotFoundError, StateError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    delivery = steps.reopen(delivery_id)
    logger.info("delivery %s: sent again by %s %s", delivery.pk, actor.role.value, actor.id)
    return delivery
