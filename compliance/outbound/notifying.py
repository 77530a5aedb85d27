"""Tells webhooks: one message and one delivery each, inside the transaction of what happened.

Next: compliance/outbound/engine.py
"""

import uuid
from datetime import date, datetime

from django.db import connection

from compliance.outbound import steps
from compliance.outbound.errors import InvalidWebhookError
from compliance.outbound.event_types import EVENT_TYPES, TEST, is_told
from compliance.outbound.models import Delivery, Webhook, WebhookMessage
from compliance.requests.models import DeletionRequest

KIND = "webhook"
_IS_ONE_ACTIVE = "SELECT 1 FROM outbound_webhook WHERE is_active LIMIT 1"


def notify(event_type: str, request_id: uuid.UUID, occurred_at: datetime) -> list[Delivery]:
    """Owe each active webhook that wants this type a message; one query where there is none, three before the others.

    `event_type` is `event_type_of(state)`, the state that the request has reached. Raises InvalidWebhookError.
    """
    if event_type not in EVENT_TYPES:
        raise InvalidWebhookError(f"event_type: expected one of {', '.join(EVENT_TYPES)}; found {event_type!r}.")
    told = [webhook for webhook in _active() if is_told(webhook.event_types, event_type)]
    due_date = _due_date(request_id) if told else None
    return [tell(webhook, _message(event_type, request_id, occurred_at, due_date)) for webhook in told]


def _active() -> list[Webhook]:
    # Asked at each change of each request, mostly for nothing: the ORM takes five times as long to build its statement.
    with connection.cursor() as cursor:
        cursor.execute(_IS_ONE_ACTIVE)
        if cursor.fetchone() is None:
            return []
    return list(Webhook.objects.filter(is_active=True).order_by("pk"))


def _due_date(request_id: uuid.UUID) -> date | None:
    return DeletionRequest.objects.filter(pk=request_id).values_list("due_date", flat=True).first()


def _message(event_type: str, request_id: uuid.UUID, occurred_at: datetime, due_date: date | None) -> WebhookMessage:
    return WebhookMessage(
        event_type=event_type,
        occurred_at=occurred_at,
        request_id=request_id,
        request_state=event_type.partition(".")[2],
        due_date=due_date,
    )


def test_message(now: datetime) -> WebhookMessage:
    """A message about nothing."""
    return WebhookMessage(event_type=TEST, occurred_at=now)


def tell(webhook: Webhook, message: WebhookMessage) -> Delivery:
    """Store a message for a webhook and the delivery of it."""
    message.webhook = webhook
    message.save(force_insert=True)
    return steps.create(KIND, message.pk, webhook.url)
