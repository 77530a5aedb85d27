"""A webhook's message: the type of what happened, the request's id and state, signed. Nothing about a person.

Source: Standard Webhooks 1.0.0. `webhook-id` is the same over all tries; `webhook-timestamp` and the signatures are of
this try, so that a receiver can refuse what is replayed later.
"""

from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signer

from compliance.evidence import canonical
from compliance.outbound import webhook_secrets
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery, WebhookMessage


def is_wanted(delivery: Delivery) -> bool:
    """Whether the webhook is there and active."""
    return WebhookMessage.objects.filter(pk=delivery.subject_id, webhook__is_active=True).exists()


def render(delivery: Delivery) -> Message:
    """The message with a signature for each key that is valid now; raises VaultError."""
    message = WebhookMessage.objects.select_related("webhook").get(pk=delivery.subject_id)
    now = datetime.now(tz=UTC)
    body = body_of(message)
    keys = webhook_secrets.valid(message.webhook, now)
    signatures = [Signer(key).sign(str(message.pk), now, body.decode()) for key in keys]
    return Message(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": str(message.pk),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        },
    )


def body_of(message: WebhookMessage) -> bytes:
    """Canonical JSON (RFC 8785), the same bytes in each try."""
    data = {
        "request": str(message.request_id),
        "state": message.request_state,
        "due_date": message.due_date and message.due_date.isoformat(),
    }
    return canonical.dumps(
        {
            "id": str(message.pk),
            "type": message.event_type,
            "occurred_at": canonical.format_time(message.occurred_at.astimezone(UTC).replace(microsecond=0)),
            "data": data if message.request_id else {},
        }
    )
