"""Webhooks and deliveries of the tests, made by the service's own actions."""

import base64
import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from compliance.ledger.actors import Actor, Role
from compliance.outbound import engine, notifying
from compliance.outbound.actions.create_webhook import Created, create_webhook
from compliance.outbound.models import Delivery, DeliveryAttempt

BOB = Actor(role=Role.OPERATOR, id=uuid.UUID("00000000-0000-4000-8000-0000000000b0"))
AUDREY = Actor(role=Role.AUDITOR, id=uuid.UUID("00000000-0000-4000-8000-0000000000a0"))
REQUEST_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")
WHEN = datetime(2026, 5, 1, 12, 30, 45, 123456, tzinfo=UTC)
COMPLETED = "request.completed"


def hook(url: str, *event_types: str, name: str = "crm") -> Created:
    """A webhook of Bob's; without types it is told of everything."""
    return create_webhook(name, url, event_types or ["*"], actor=BOB)


def key_of(created: Created) -> bytes:
    """The key behind the secret that was shown."""
    return base64.b64decode(created.secret.removeprefix("whsec_"))


def happens(event_type: str = COMPLETED) -> list[Delivery]:
    """A request reaches a state, and what is owed because of it."""
    with transaction.atomic():
        return notifying.notify(event_type, REQUEST_ID, WHEN)


def owed(url: str) -> Delivery:
    """One delivery to this URL that waits for its first try."""
    hook(url)
    (delivery,) = happens()
    return delivery


def try_now(delivery: Delivery) -> Delivery:
    """The next try, whenever it was due."""
    pass_time(delivery)
    engine.deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def pass_time(delivery: Delivery) -> None:
    """What time does by itself: the next try is due, and its address has rested."""
    DeliveryAttempt.objects.update(at=F("at") - engine.REST)
    Delivery.objects.filter(pk=delivery.pk, next_try_at__isnull=False).update(
        next_try_at=datetime.now(tz=UTC) - timedelta(seconds=1)
    )
