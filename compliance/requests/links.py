"""Requests that belong together. A link tells staff what came before; it blocks nothing and skips no step.

The ledger names the other request by its random id. Callers hold the row of the newer request locked.
"""

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.models import DeletionRequest, LinkReason, RequestLink
from compliance.requests.states import RequestState

# Anybody can open a request under another person's address: before it is proven, it says nothing about that person.
_UNPROVEN = (RequestState.RECEIVED, RequestState.IDENTITY_PENDING, RequestState.CLOSED_UNVERIFIED)


def link(request: DeletionRequest, linked: DeletionRequest, reason: LinkReason, *, actor: Actor) -> None:
    """Link once; a second call changes nothing."""
    _, is_new = RequestLink.objects.get_or_create(request=request, linked=linked, reason=reason)
    if is_new:
        facts = {"linked": str(linked.pk), "reason": reason.value}
        transitions.note(request, "request.linked", actor=actor, facts=facts)


def link_duplicate(request: DeletionRequest, *, actor: Actor) -> None:
    """Link a request whose identity was just proven to the newest earlier one of the same person, if there is one."""
    same_person = DeletionRequest.objects.filter(vault__pseudonym=request.vault.pseudonym)
    earlier = same_person.exclude(pk=request.pk).exclude(state__in=_UNPROVEN).exclude(identity_level=0)
    unlinked = earlier.exclude(linked_from__request=request).defer("deadlines", "scope")
    found = unlinked.filter(received_at__lte=request.received_at).order_by("-received_at", "-pk").first()
    if found is not None:
        link(request, found, LinkReason.DUPLICATE, actor=actor)
