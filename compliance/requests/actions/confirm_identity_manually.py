"""Staff document that they checked who asks. The means are one of a closed list; no copy and no remark is kept."""

import logging
import uuid

from compliance.identity import proving
from compliance.ledger.actors import Actor
from compliance.requests.models import DeletionRequest

METHOD = "manual"
logger = logging.getLogger(__name__)


def confirm_identity_manually(request_id: uuid.UUID, *, actor: Actor, means: str) -> DeletionRequest:
    """Move to review, or record a proof that is not enough yet (proving.still_needed).

    `means` is a value of `compliance.identity.methods.manual.Means`, which gives the level. Raises InvalidInputError,
    NotFoundError, StateError or ForbiddenActorError.
    """
    request = proving.confirm(request_id, method=METHOD, actor=actor, shown={"means": means})
    logger.info("identity of request %s: %s", request.pk, means)
    return request
