"""What the ledger says of webhooks: which one, what was done to it, and a digest of its public parts.

Neither its secret nor the path of its address: receivers take a path for a password.
"""

from hashlib import sha256
from urllib.parse import urlsplit

from compliance.evidence import canonical
from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event
from compliance.outbound.models import Webhook


def public_parts(webhook: Webhook) -> dict[str, object]:
    """Its name, the host that is told, and of what."""
    host = urlsplit(webhook.url).hostname or ""
    return {"name": webhook.name, "host": host, "event_types": list(webhook.event_types)}


def created(webhook: Webhook, *, actor: Actor) -> None:
    """The entry of a new webhook; `details_sha256` is the SHA-256 of the public parts as canonical JSON (RFC 8785)."""
    digest = sha256(canonical.dumps(public_parts(webhook))).hexdigest()
    facts = {"webhook": str(webhook.pk), "details_sha256": digest}
    record_event("webhook.created", actor=actor, facts=facts, subject_id=webhook.pk)


def secret_rotated(webhook: Webhook, *, actor: Actor) -> None:
    """The entry of a new secret."""
    record_event("webhook.secret_rotated", actor=actor, facts={"webhook": str(webhook.pk)}, subject_id=webhook.pk)


def disabled(webhook: Webhook, *, actor: Actor) -> None:
    """The entry of the end of a webhook."""
    record_event("webhook.disabled", actor=actor, facts={"webhook": str(webhook.pk)}, subject_id=webhook.pk)
