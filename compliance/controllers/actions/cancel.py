"""The controller takes a request back, as long as it is pending."""

import logging
import uuid

from django.db import transaction

from compliance.controllers import locking, queries
from compliance.controllers.errors import NotPendingError
from compliance.controllers.models import ControllerRequest
from compliance.ledger import actors
from compliance.opendsr.statuses import STATUS_OF_STATE, RequestStatus
from compliance.requests import transitions
from compliance.requests.actions.withdraw import withdraw

logger = logging.getLogger(__name__)


@transaction.atomic
def cancel(controller_id: uuid.UUID, subject_request_id: uuid.UUID) -> ControllerRequest:
    """Raises UnknownControllerError, UnknownRequestError or NotPendingError."""
    controller = locking.locked_active(controller_id)
    row = queries.passed_on(controller, subject_request_id)
    state = transitions.locked(row.request_id).state
    if STATUS_OF_STATE[state] is not RequestStatus.PENDING:
        raise NotPendingError(
            f"Expected a request that is pending, found one that is {STATUS_OF_STATE[state]}: it cannot be cancelled."
        )
    row.request = withdraw(row.request_id, actor=actors.controller(controller.pk))
    logger.info("controller %s: took request %s back", controller.pk, row.request_id)
    return row
