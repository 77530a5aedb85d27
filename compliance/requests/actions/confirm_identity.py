"""The person proves the address by the code that was sent to it (Art. 12(6) GDPR: no more than is needed)."""

import uuid

from compliance.identity import proving
from compliance.ledger.actors import Actor
from compliance.requests.models import DeletionRequest

METHOD = "email_code"


def confirm_identity(request_id: uuid.UUID, *, actor: Actor, code: str) -> DeletionRequest:
    """Move to review, or record a proof that is not enough yet (proving.still_needed).

    Raises IdentityError with one sentence for every cause, so that nothing can be probed; and NotFoundError, StateError
    or ForbiddenActorError.
    """
    return proving.confirm(request_id, method=METHOD, actor=actor, shown={"code": code})
