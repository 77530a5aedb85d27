"""Named reads of deliveries and webhooks, for pages and commands. Each costs the same number of queries at any size."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from compliance.outbound.errors import InvalidWebhookError, NotFoundError
from compliance.outbound.models import Delivery, DeliveryStatus, Webhook, WebhookMessage
from compliance.outbound.notifying import KIND

PAGE_ROWS = 50
_SEPARATOR = "_"


@dataclass(frozen=True)
class Page:
    """Deliveries with their tries, newest first, and the cursor of the page after; None on the last one."""

    rows: list[Delivery]
    older_than: str | None


@dataclass(frozen=True)
class Overview:
    """A webhook with how many of its deliveries wait, and how many were given up and not looked at."""

    webhook: Webhook
    n_pending: int
    n_alarms: int


def webhooks() -> list[Overview]:
    """All webhooks by name. One query."""
    return [_overview(row) for row in _annotated().order_by("name")]


def webhook(webhook_id: uuid.UUID) -> Overview:
    """One of them; raises NotFoundError."""
    found = _annotated().filter(pk=webhook_id).first()
    if found is None:
        raise NotFoundError(f"There is no webhook {webhook_id}.")
    return _overview(found)


def deliveries(
    *,
    kind: str | None = None,
    webhook_id: uuid.UUID | None = None,
    request_id: uuid.UUID | None = None,
    status: DeliveryStatus | None = None,
    older_than: str | None = None,
    n_rows: int = PAGE_ROWS,
) -> Page:
    """A page of the delivery log, in two queries; raises InvalidWebhookError for a cursor that is none.

    `webhook_id` and `request_id` leave deliveries of webhooks alone.
    """
    rows = Delivery.objects.prefetch_related("attempts").order_by("-created_at", "-id")
    if webhook_id is not None or request_id is not None:
        messages = WebhookMessage.objects.filter(pk=OuterRef("subject_id"))
        if webhook_id is not None:
            messages = messages.filter(webhook_id=webhook_id)
        if request_id is not None:
            messages = messages.filter(request_id=request_id)
        rows = rows.filter(Exists(messages), kind=KIND)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if status is not None:
        rows = rows.filter(status=status)
    if older_than:
        rows = rows.filter(_after(older_than))
    found = list(rows[: n_rows + 1])
    shown = found[:n_rows]
    return Page(rows=shown, older_than=cursor(shown[-1]) if len(found) > n_rows else None)


def messages_of(rows: Iterable[Delivery]) -> dict[uuid.UUID, WebhookMessage]:
    """What the webhooks' deliveries among these tell, by their `subject_id`, with the webhook. One query."""
    subject_ids = [row.subject_id for row in rows if row.kind == KIND]
    return {row.pk: row for row in WebhookMessage.objects.select_related("webhook").filter(pk__in=subject_ids)}


def alarms(limit: int = 100) -> list[Delivery]:
    """Deliveries that were given up and that somebody should look at, the newest first. One query."""
    return list(Delivery.objects.filter(alarmed_at__isnull=False).order_by("-alarmed_at", "-id")[:limit])


def cursor(delivery: Delivery) -> str:
    """The place of a delivery in the log."""
    return f"{delivery.created_at.isoformat()}{_SEPARATOR}{delivery.pk}"


def _annotated() -> QuerySet[Any]:
    return Webhook.objects.annotate(
        n_pending=_n_deliveries(Q(status=DeliveryStatus.PENDING)),
        n_alarms=_n_deliveries(Q(alarmed_at__isnull=False)),
    )


def _overview(row: Any) -> Overview:
    return Overview(webhook=row, n_pending=row.n_pending, n_alarms=row.n_alarms)


def _n_deliveries(condition: Q) -> Coalesce:
    messages = WebhookMessage.objects.filter(webhook=OuterRef(OuterRef("pk"))).values("pk")
    rows = Delivery.objects.filter(condition, kind=KIND, subject_id__in=messages).order_by().values("kind")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)


def _after(text: str) -> Q:
    time, _, row_id = text.partition(_SEPARATOR)
    try:
        at, row = datetime.fromisoformat(time), uuid.UUID(row_id)
    except ValueError as error:
        raise InvalidWebhookError("Expected the place of a delivery in the log, found something else.") from error
    if at.tzinfo is None:
        raise InvalidWebhookError("Expected a time with a zone in the place of a delivery, found one without.")
    if not MINYEAR + 1 < at.year < MAXYEAR:
        # In UTC it may lie beyond the years that there are.
        raise InvalidWebhookError("Expected the time of a delivery in its place in the log, found another age.")
    # Written as a bound and an exception to it: from an OR of two cases, databases start at the top of the index.
    return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__lt=row))
