"""The DPO reads who made a request, for a reason that the ledger keeps. Nobody else can, and not unseen.

Workers write to people without this: an address that only goes to the mail server is not shown to anybody.
"""

import uuid

from django.db import models, transaction

from compliance.ledger.actors import Actor, Role
from compliance.requests import identities, transitions
from compliance.requests.choices import chosen
from compliance.requests.errors import ForbiddenActorError, StateError
from compliance.requests.models import SubjectVault


class UnveilingReason(models.TextChoices):
    """Why somebody has to know who it is: the closed list of evidence/leaf.py."""

    CORRESPONDENCE = "correspondence", "To write to the person"
    COMPLAINT = "complaint", "A complaint, or a question of the authority"
    AUDIT = "audit", "An audit of single requests"
    INCIDENT = "incident", "A breach, or a deletion of the wrong person"


# Durable: the identifier is not handed out before its entry is committed.
@transaction.atomic(durable=True)
def unveil(request_id: uuid.UUID, *, actor: Actor, reason: str) -> str:
    """The identifier in clear, recorded as `request.unveiled`. It must not be logged or stored by the caller.

    Raises InvalidInputError, NotFoundError, ForbiddenActorError for everybody but a DPO, StateError once the request
    was shredded, VaultNotReadyError and VaultError.
    """
    given = chosen(UnveilingReason, "reason", reason)
    if actor.role is not Role.DPO:
        raise ForbiddenActorError(f"An identity is unveiled by a DPO alone; you act as {actor.role.value}.")
    request = transitions.locked(request_id)
    vault = SubjectVault.objects.get(request=request)
    if vault.shredded_at is not None:
        raise StateError("The request was shredded: nobody knows any more whose it was.")
    value = identities.identifier(vault)
    transitions.note(request, "request.unveiled", actor=actor, facts={"reason": given.value})
    return value
