"""A controller passes on nothing more and is called back no more. Its requests go on: they are people's."""

import logging
import uuid

from django.db import transaction

from compliance.controllers import controller_entries, locking, permissions
from compliance.controllers.models import Controller, StatusNotice
from compliance.controllers.queries import KIND
from compliance.ledger.actors import Actor
from compliance.outbound import steps

logger = logging.getLogger(__name__)


@transaction.atomic
def deactivate_controller(controller_id: uuid.UUID, *, actor: Actor) -> Controller:
    """For good; raises UnknownControllerError or ForbiddenActorError."""
    permissions.refuse_unless_manager(actor)
    controller = locking.locked_active(controller_id)
    controller.is_active = False
    controller.save(update_fields=["is_active"])
    notices = StatusNotice.objects.filter(controller_request__controller=controller)
    steps.end_alarms(KIND, notices.values_list("pk", flat=True))
    controller_entries.deactivated(controller, actor=actor)
    logger.info("controller %s: deactivated by %s %s", controller.pk, actor.role.value, actor.id)
    return controller
