"""Controllers, found and locked for a change."""

import uuid

from compliance.controllers.errors import UnknownControllerError
from compliance.controllers.models import Controller


def locked_active(controller_id: uuid.UUID) -> Controller:
    """The controller, its row locked until the transaction ends; raises UnknownControllerError."""
    found = Controller.objects.select_for_update(no_key=True).filter(pk=controller_id, is_active=True).first()
    if found is None:
        raise UnknownControllerError(f"There is no active controller {controller_id}. Register a new one.")
    return found
