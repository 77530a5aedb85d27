"""The keys of a webhook: made, sealed, and for a day after a rotation two of them at once.

Source: Standard Webhooks, "Signature scheme" and "Secret rotation": 32 random bytes, written as `whsec_` and base64.
"""

import base64
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from compliance.outbound import sealing
from compliance.outbound.models import Webhook, WebhookSecret

#: How long the key before signs as well, so that a receiver can change over.
OVERLAP = timedelta(days=1)
PREFIX = "whsec_"
_BYTES = 32


def add(webhook: Webhook, now: datetime) -> str:
    """A new key for a webhook; returned once, as its receiver needs it."""
    key = secrets.token_bytes(_BYTES)
    row = WebhookSecret(webhook=webhook, created_at=now)
    row.sealed = sealing.seal(key, row.pk)
    row.save(force_insert=True)
    return written(key)


def retire(webhook: Webhook, now: datetime) -> None:
    """Let the keys of a webhook end within a day, and delete those that have ended."""
    WebhookSecret.objects.filter(webhook=webhook, expires_at__lte=now).delete()
    WebhookSecret.objects.filter(webhook=webhook, expires_at=None).update(expires_at=now + OVERLAP)


def valid(webhook: Webhook, now: datetime) -> list[bytes]:
    """The keys that sign now, the newest first; raises SealError."""
    rows = WebhookSecret.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), webhook=webhook)
    return [sealing.unseal(row.sealed, row.pk) for row in rows]


def written(key: bytes) -> str:
    """A key as people copy it."""
    return PREFIX + base64.b64encode(key).decode()
