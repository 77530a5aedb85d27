"""Staff let the declared data sources be searched once more: records came, or a source can be read again.

Next: compliance/requests/actions/search_sources.py
"""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor, Role
from compliance.registry.models import DataSource
from compliance.requests import transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import ForbiddenActorError, NotReadyError, StateError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import TERMINAL, RequestState

STAFF = (Role.OPERATOR, Role.DPO)
#: From the proof of identity, before which nobody is looked for, until the request is closed.
SEARCHABLE = frozenset(RequestState) - TERMINAL - {RequestState.RECEIVED, RequestState.IDENTITY_PENDING}
logger = logging.getLogger(__name__)


@transaction.atomic
def search_again(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Send a worker to search. What was found before is dropped: so the sweep sees a search that was lost on its way.

    Raises NotFoundError, ForbiddenActorError, StateError, and NotReadyError where no source is declared. No ledger
    entry: nothing happens to the request.
    """
    if actor.role not in STAFF:
        raise ForbiddenActorError(f"Searching again takes the role operator or dpo; you act as {actor.role.value}.")
    request = transitions.locked(request_id)
    if request.state not in SEARCHABLE:
        raise StateError(f"The request is {request.get_state_display()!r}; the sources are not searched for it now.")
    if not DataSource.objects.exclude(declaration=None).exists():
        raise NotReadyError("No data source is declared, so there is nothing to search. Declare one first.")
    request.searches.exclude(data_source__declaration=None).delete()
    DeletionRequest.objects.filter(pk=request.pk).update(searched_at=None)
    after_commit("search_sources", request.pk)
    logger.info("request %s: searched for again by %s %s", request.pk, actor.role.value, actor.id)
    return request
