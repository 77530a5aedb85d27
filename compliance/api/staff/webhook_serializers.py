"""Webhooks and deliveries as staff see them. A secret is shown once, in the answer that made it."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import prefetch_related_objects
from rest_framework import serializers

from compliance.api.bodies import TextField, one_of
from compliance.outbound import queries
from compliance.outbound.event_types import EVENT_TYPES, EVERY
from compliance.outbound.models import Delivery, DeliveryStatus


class WebhookBody(serializers.Serializer[Any]):
    """Who is to be told, and of what."""

    name = TextField(max_length=80)
    url = TextField(max_length=2048)
    event_types = serializers.ListField(
        child=one_of((EVERY, *EVENT_TYPES)),
        default=[EVERY],
        allow_empty=False,
        max_length=len(EVENT_TYPES) + 1,
        help_text="* is all of them",
    )


class WebhookSerializer(serializers.Serializer[Any]):
    """A webhook, with how many of its deliveries wait, and how many were given up and not looked at."""

    id = serializers.UUIDField(source="webhook.pk")
    name = serializers.CharField(source="webhook.name")
    url = serializers.CharField(source="webhook.url")
    event_types = serializers.ListField(source="webhook.event_types", child=serializers.CharField())
    is_active = serializers.BooleanField(source="webhook.is_active")
    created_at = serializers.DateTimeField(source="webhook.created_at")
    n_pending = serializers.IntegerField()
    n_alarms = serializers.IntegerField()


class WebhooksSerializer(serializers.Serializer[Any]):
    """All of them."""

    webhooks = WebhookSerializer(many=True)


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook, with the secret that its receiver needs."""

    secret = serializers.CharField()


class SecretSerializer(serializers.Serializer[Any]):
    """A new secret. The one before signs beside it for a day."""

    secret = serializers.CharField()


class DeliveriesQuery(serializers.Serializer[Any]):
    """Which deliveries to list."""

    webhook = serializers.UUIDField(required=False)
    request = serializers.UUIDField(required=False)
    status = one_of(DeliveryStatus, required=False)
    cursor = TextField(required=False, max_length=500, help_text="from the link to the next page")


class AttemptSerializer(serializers.Serializer[Any]):
    """One try: a status, or the word for why there was none."""

    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField()
    duration_ms = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Any]):
    """One message to one address. What is no webhook's has no webhook, type and request here."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    webhook = serializers.UUIDField(allow_null=True)
    event_type = serializers.CharField(allow_null=True)
    request = serializers.UUIDField(allow_null=True)
    status = serializers.CharField()
    n_tries = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    alarmed_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True)


class DeliveriesSerializer(serializers.Serializer[Any]):
    """One page, newest first."""

    next = serializers.URLField(allow_null=True)
    results = DeliverySerializer(many=True)


class AlarmsSerializer(serializers.Serializer[Any]):
    """Those that were given up and that somebody should look at."""

    results = DeliverySerializer(many=True)


def deliveries_of(rows: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Deliveries with what they tell, as DeliverySerializer takes them. Two queries, less one if their tries were fetched."""
    found = list(rows)
    prefetch_related_objects(found, "attempts")
    messages = queries.messages_of(found)
    return [_shown(row, messages.get(row.subject_id)) for row in found]


def _shown(row: Delivery, message: Any) -> dict[str, Any]:
    request_id: uuid.UUID | None = getattr(message, "request_id", None)
    return {
        "id": row.pk,
        "kind": row.kind,
        "webhook": getattr(message, "webhook_id", None),
        "event_type": getattr(message, "event_type", None),
        "request": request_id,
        "status": row.status,
        "n_tries": row.n_tries,
        "created_at": row.created_at,
        "next_try_at": row.next_try_at,
        "delivered_at": row.delivered_at,
        "alarmed_at": row.alarmed_at,
        "attempts": list(row.attempts.all()),
    }
