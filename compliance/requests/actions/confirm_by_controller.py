"""The controller that passed a request on vouches for the person (OpenDSR 2.0)."""

import uuid

from django.db import transaction

from compliance.identity import proving
from compliance.ledger.actors import Actor
from compliance.requests.dispatch import after_commit
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

METHOD = "controller"


@transaction.atomic
def confirm_by_controller(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Move to review. Where more is needed than a controller's word, the person is asked after commit.

    Raises NotFoundError, StateError or ForbiddenActorError.
    """
    request = proving.confirm(request_id, method=METHOD, actor=actor, shown={})
    if request.state == RequestState.RECEIVED:
        after_commit("ask_identity", request.pk)
    return request
