"""The keys of a webhook: made, wrapped under the vault's master key, and for a day after a rotation two of them at once.

Source: Standard Webhooks, "Signature scheme" and "Secret rotation": 32 random bytes, written as `whsec_` and base64.
"""

import base64
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from compliance.outbound.models import Webhook, WebhookSecret
from compliance.vault import ring
from compliance.vault.switching import hold_keys

#: How long the key before signs as well, so that a receiver can change over.
OVERLAP = timedelta(days=1)
PREFIX = "whsec_"
_BYTES = 32


def add(webhook: Webhook, now: datetime) -> str:
    """A new key for a webhook; returned once, as its receiver needs it. Call it inside a transaction.

    Raises VaultError where there is no master key to wrap with, or it cannot be reached.
    """
    key = secrets.token_bytes(_BYTES)
    row = WebhookSecret(webhook=webhook, created_at=now)
    hold_keys()
    master = ring.configured().current()
    row.wrapped_key, row.master_key_id = master.wrap(key, wrapping_context(row)), master.key_id
    row.save(force_insert=True)
    return written(key)


def retire(webhook: Webhook, now: datetime) -> None:
    """Let the keys of a webhook end within a day, and delete those that have ended."""
    WebhookSecret.objects.filter(webhook=webhook, expires_at__lte=now).delete()
    WebhookSecret.objects.filter(webhook=webhook, expires_at=None).update(expires_at=now + OVERLAP)


def valid(webhook: Webhook, now: datetime) -> list[bytes]:
    """The keys that sign now, the newest first; raises VaultError for one that does not open."""
    rows = WebhookSecret.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), webhook=webhook)
    return [_opened(row) for row in rows]


def wrapping_context(row: WebhookSecret) -> bytes:
    """What the wrapped key of this row is bound to: in no other row does it open."""
    return row.pk.bytes + b"webhook-secret"


def written(key: bytes) -> str:
    """A key as people copy it."""
    return PREFIX + base64.b64encode(key).decode()


def _opened(row: WebhookSecret) -> bytes:
    return ring.configured().named(row.master_key_id).unwrap(bytes(row.wrapped_key), wrapping_context(row))
