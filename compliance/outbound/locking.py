"""Webhooks, found and locked for a change."""

import uuid

from compliance.outbound.errors import NotFoundError, StateError
from compliance.outbound.models import Webhook


def locked(webhook_id: uuid.UUID) -> Webhook:
    """The webhook, its row locked until the transaction ends; raises NotFoundError."""
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFoundError(f"There is no webhook {webhook_id}.")
    return webhook


def locked_active(webhook_id: uuid.UUID) -> Webhook:
    """The same for one that is active; raises NotFoundError or StateError."""
    webhook = locked(webhook_id)
    if not webhook.is_active:
        raise StateError(f"The webhook {webhook_id} is not active any more. Create a new one.")
    return webhook
