"""A person who was erased may be learned from again: they came back by their own will, or it was never them.

The ledger says that a token was lifted, by whom and why. It does not say whose: a keyed commitment that outlives the
person's request would tie the two together.
"""

import logging

from django.db import models, transaction

from compliance.ledger.actors import Actor, Role
from compliance.ledger.record import record_event
from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.errors import ForbiddenLiftingError, NotSuppressedError
from compliance.suppression.tokens import in_force, token_of

LIFTERS = frozenset({Role.DPO, Role.SYSTEM})
logger = logging.getLogger(__name__)


class LiftingReason(models.TextChoices):
    """Why: the closed list of evidence/leaf.py."""

    PERSON_RETURNED = "person_returned", "The person came back and gave their data anew"
    WRONG_PERSON = "wrong_person", "The wrong person was erased"


@transaction.atomic
def lift(kind: str, value: str, *, reason: LiftingReason, actor: Actor) -> None:
    """Forget that this person was erased, whatever number of times it was. No request and no model changes.

    Tokens in files that were exported before are not reached: write a new export, or an import brings them back.
    Raises ValueError for an identifier that has no canonical spelling, ForbiddenLiftingError for everybody but a DPO and
    whoever has a shell on the server, and NotSuppressedError. No message repeats the identifier.
    """
    if actor.role not in LIFTERS:
        raise ForbiddenLiftingError(f"This takes the role {Role.DPO.value}; you act as {actor.role.value}.")
    token = token_of(pseudonym_of(kind, value))
    n_deleted, _ = in_force().filter(token=token).delete()
    if not n_deleted:
        raise NotSuppressedError(
            "Expected a person who was erased, found none of this identifier. Look at the spelling; a token may also "
            "have expired, or been made under another SUPPRESSION_KEY or PSEUDONYM_KEY."
        )
    record_event("suppression.lifted", actor=actor, facts={"reason": reason.value})
    logger.info("suppression: one token lifted by %s %s", actor.role.value, actor.id)
