"""What the ledger says of controllers: which one, what was done to it, and a digest of its public parts.

Never its token, nor the digest that is kept of the token.
"""

from hashlib import sha256

from compliance.controllers.models import Controller
from compliance.evidence import canonical
from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event


def public_parts(controller: Controller) -> dict[str, object]:
    """Its name, and the hosts on which it may be called back."""
    return {"name": controller.name, "callback_hosts": list(controller.callback_hosts)}


def registered(controller: Controller, *, actor: Actor) -> None:
    """The entry of a new one; `details_sha256` is the SHA-256 of the public parts as canonical JSON (RFC 8785)."""
    digest = sha256(canonical.dumps(public_parts(controller))).hexdigest()
    facts = {"controller": str(controller.pk), "details_sha256": digest}
    record_event("controller.registered", actor=actor, facts=facts, subject_id=controller.pk)


def token_rotated(controller: Controller, *, actor: Actor) -> None:
    """The entry of a new token."""
    facts = {"controller": str(controller.pk)}
    record_event("controller.token_rotated", actor=actor, facts=facts, subject_id=controller.pk)


def deactivated(controller: Controller, *, actor: Actor) -> None:
    """The entry of the end of a controller."""
    facts = {"controller": str(controller.pk)}
    record_event("controller.deactivated", actor=actor, facts=facts, subject_id=controller.pk)
