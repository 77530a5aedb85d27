"""What the ledger says of the register of recipients: which one, what was done to it, and a digest of its public parts.

Not the path of its address, which may be a secret, and not the contact, who may be a person.
"""

from hashlib import sha256
from urllib.parse import urlsplit

from compliance.evidence import canonical
from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event
from compliance.recipients.models import Recipient


def public_parts(recipient: Recipient) -> dict[str, object]:
    """Its name, the host that is told, its key, the ids of its models, and how it is told."""
    return {
        "name": recipient.name,
        "host": urlsplit(recipient.url).hostname or "",
        "public_key": recipient.public_key,
        "identifier_form": recipient.identifier_form,
        "is_public": recipient.is_public,
        "models": sorted(str(model_id) for model_id in recipient.models.values_list("pk", flat=True)),
    }


def details_sha256(recipient: Recipient) -> str:
    """Hex SHA-256 of the public parts as canonical JSON (RFC 8785)."""
    return sha256(canonical.dumps(public_parts(recipient))).hexdigest()


def registered(recipient: Recipient, *, actor: Actor) -> None:
    """The entry of a new recipient."""
    _record_details("recipient.registered", recipient, actor)


def changed(recipient: Recipient, *, actor: Actor) -> None:
    """The entry of what is known of one from now on."""
    _record_details("recipient.changed", recipient, actor)


def retired(recipient: Recipient, *, actor: Actor) -> None:
    """The entry of the end of one."""
    record_event("recipient.retired", actor=actor, facts={"recipient": str(recipient.pk)}, subject_id=recipient.pk)


def _record_details(event_type: str, recipient: Recipient, actor: Actor) -> None:
    facts = {"recipient": str(recipient.pk), "details_sha256": details_sha256(recipient)}
    record_event(event_type, actor=actor, facts=facts, subject_id=recipient.pk)
