"""Whoever became a recipient meanwhile is owed notices of the requests that wait for sign-off."""

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.recipients import notices, permissions
from compliance.recipients.models import Notice
from compliance.requests import transitions
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState


@transaction.atomic
def owe_awaited(*, actor: Actor) -> list[Notice]:
    """The notices that are owed now and were not before; raises ForbiddenActorError."""
    permissions.refuse_but(permissions.REGISTRARS, actor)
    waiting = DeletionRequest.objects.filter(state=RequestState.SIGNOFF).order_by("pk").values_list("pk", flat=True)
    found: list[Notice] = []
    for request_id in list(waiting):
        request = transitions.locked(request_id)
        if request.state == RequestState.SIGNOFF:
            found += notices.owe(request)
    return found
