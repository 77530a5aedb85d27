"""What is sent to other systems, as its page tells it: to whom, about what, and what became of it.

An address is shown by its host alone: its path may be a secret.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import prefetch_related_objects

from compliance.controllers import queries as controllers
from compliance.controllers.models import StatusNotice
from compliance.ledger.actors import STAFF_ROLES, Actor
from compliance.outbound import notifying, permissions, queries
from compliance.outbound.actions.redeliver import redeliver
from compliance.outbound.errors import NotFoundError
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus
from compliance.recipients import notices
from compliance.recipients.actions.send_again import send_again
from compliance.recipients.models import Notice

MANAGERS = tuple(role for role in STAFF_ROLES if role in permissions.MANAGERS)
KIND_NAMES = {
    notifying.KIND: "Webhook",
    controllers.KIND: "OpenDSR callback",
    notices.KIND: "Notice to a recipient",
}
TONES = {DeliveryStatus.PENDING: "working", DeliveryStatus.DELIVERED: "done", DeliveryStatus.GAVE_UP: "closed"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a delivery is about: the name of its receiver, what it tells, and the request; None in a test message."""

    receiver: str
    tells: str
    request_id: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """One delivery. `subject` is None where what it tells is gone; `outcome` and `at` are of the last try."""

    delivery: Delivery
    kind: str
    tone: str
    host: str
    subject: Subject | None
    outcome: str
    at: datetime | None
    may_send_again: bool


def rows(deliveries: Sequence[Delivery]) -> list[DeliveryRow]:
    """The same deliveries, with what they are about. One query for each kind among them, one for tries not fetched."""
    prefetch_related_objects(deliveries, "attempts")
    subjects = _subjects(deliveries)
    return [_row(delivery, subjects.get(delivery.subject_id)) for delivery in deliveries]


def send_anew(delivery_id: uuid.UUID, *, actor: Actor) -> None:
    """Send one that ended anew, by the verb of its kind; raises OutboundError or RequestError."""
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFoundError(f"There is no delivery {delivery_id}.")
    if delivery.kind == notices.KIND:
        # A recipient's notice keeps its own account of what was given up, and goes to the address it has now.
        send_again(delivery.subject_id, actor=actor)
    else:
        redeliver(delivery_id, actor=actor)


def _row(delivery: Delivery, subject: Subject | None) -> DeliveryRow:
    tries = list(delivery.attempts.all())
    last = tries[-1] if tries else None
    status = DeliveryStatus(delivery.status)
    return DeliveryRow(
        delivery=delivery,
        kind=KIND_NAMES.get(delivery.kind, delivery.kind.replace("_", " ")),
        tone="alarm" if delivery.alarmed_at else TONES[status],
        host=urlsplit(delivery.url).hostname or "",
        subject=subject,
        outcome=_outcome(last),
        at=None if last is None else last.at,
        # Another kind than a webhook wants to be told once: sent again, it would end as not wanted.
        may_send_again=subject is not None
        and (
            status is DeliveryStatus.GAVE_UP or (status is DeliveryStatus.DELIVERED and delivery.kind == notifying.KIND)
        ),
    )


def _outcome(last: DeliveryAttempt | None) -> str:
    if last is None:
        return "not tried yet"
    return f"answer {last.status_code}" if last.status_code else str(last.get_failure_display())


def _subjects(deliveries: Iterable[Delivery]) -> dict[uuid.UUID, Subject]:
    ids: dict[str, list[uuid.UUID]] = {}
    for delivery in deliveries:
        ids.setdefault(delivery.kind, []).append(delivery.subject_id)
    return {
        **_of_webhooks(deliveries),
        **_of_callbacks(ids.get(controllers.KIND, [])),
        **_of_notices(ids.get(notices.KIND, [])),
    }


def _of_webhooks(deliveries: Iterable[Delivery]) -> dict[uuid.UUID, Subject]:
    found = queries.messages_of(deliveries)
    return {
        pk: Subject(receiver=message.webhook.name, tells=message.event_type, request_id=message.request_id)
        for pk, message in found.items()
    }


def _of_callbacks(ids: list[uuid.UUID]) -> dict[uuid.UUID, Subject]:
    found = StatusNotice.objects.select_related("controller_request__controller").filter(pk__in=ids)
    return {
        row.pk: Subject(
            receiver=row.controller_request.controller.name,
            tells=f"status {row.get_status_display()}",
            request_id=row.controller_request.request_id,
        )
        for row in found
    }


def _of_notices(ids: list[uuid.UUID]) -> dict[uuid.UUID, Subject]:
    found = Notice.objects.select_related("recipient").filter(pk__in=ids)
    return {
        row.pk: Subject(receiver=row.recipient.name, tells=row.get_article_display(), request_id=row.request_id)
        for row in found
    }
