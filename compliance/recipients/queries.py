"""Named reads of recipients and of what each was told. Nothing here writes."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from compliance.recipients.models import Notice, NoticeStatus, Recipient
from compliance.requests.errors import InvalidInputError, NotFoundError
from compliance.requests.models import DeletionRequest

PAGE_ROWS = 50


@dataclass(frozen=True)
class RecipientPage:
    """Recipients by name, with `n_owed` and `n_unanswered`; `after` is the place of the next page, or None."""

    rows: list[Recipient]
    after: uuid.UUID | None


@dataclass(frozen=True)
class NoticePage:
    """Notices, newest first; `after` is the place of the next page, or None."""

    rows: list[Notice]
    after: uuid.UUID | None


def recipients(*, after: uuid.UUID | None = None, n_rows: int = PAGE_ROWS) -> RecipientPage:
    """One page of the register, retired ones, too; raises InvalidInputError for a place that is none.

    A place is the id of the last row of the page before.
    """
    rows = _counted(Recipient.objects.all()).prefetch_related("models").order_by("name")
    if after is not None:
        rows = rows.filter(name__gt=_place(Recipient.objects.filter(pk=after)).name)
    found = list(rows[: n_rows + 1])
    return RecipientPage(found[:n_rows], found[n_rows - 1].pk if len(found) > n_rows else None)


def recipient(recipient_id: uuid.UUID) -> Recipient:
    """One recipient, with `n_owed` and `n_unanswered`; raises NotFoundError."""
    rows = _counted(Recipient.objects.filter(pk=recipient_id)).prefetch_related("models")
    found: Recipient | None = rows.first()
    if found is None:
        raise NotFoundError(f"There is no recipient {recipient_id}.")
    return found


def notices_of_recipient(
    recipient_id: uuid.UUID, *, status: str | None = None, after: uuid.UUID | None = None, n_rows: int = PAGE_ROWS
) -> NoticePage:
    """One page of what a recipient was told and is owed; raises NotFoundError and InvalidInputError."""
    if not Recipient.objects.filter(pk=recipient_id).exists():
        raise NotFoundError(f"There is no recipient {recipient_id}.")
    rows = _with_all(Notice.objects.filter(recipient=recipient_id)).order_by("-created_at", "-id")
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        place = _place(Notice.objects.filter(recipient=recipient_id, pk=after))
        earlier = Q(created_at__lt=place.created_at) | Q(id__lt=place.pk)
        # Written as a bound and an exception to it: from an OR of two cases, databases start at the top of the index.
        rows = rows.filter(earlier, created_at__lte=place.created_at)
    found = list(rows[: n_rows + 1])
    return NoticePage(found[:n_rows], found[n_rows - 1].pk if len(found) > n_rows else None)


def notices_of_request(request_id: uuid.UUID) -> list[Notice]:
    """What is owed about one request, by the names of the recipients; raises NotFoundError."""
    if not DeletionRequest.objects.filter(pk=request_id).exists():
        raise NotFoundError(f"There is no request {request_id}.")
    return list(_with_all(Notice.objects.filter(request=request_id)).order_by("recipient__name", "id"))


def notice(notice_id: uuid.UUID) -> Notice:
    """One notice as it is now, with its recipient, request and models; raises NotFoundError."""
    found = _with_all(Notice.objects.filter(pk=notice_id)).first()
    if found is None:
        raise NotFoundError(f"There is no notice {notice_id}.")
    return found


def _with_all(rows: QuerySet[Notice]) -> QuerySet[Notice]:
    return rows.select_related("recipient", "request__vault").prefetch_related("models")


def _counted(rows: QuerySet[Recipient]) -> QuerySet[Recipient, Any]:
    return rows.annotate(
        n_owed=Count("notices", filter=Q(notices__status=NoticeStatus.OWED)),
        n_unanswered=Count("notices", filter=Q(notices__status=NoticeStatus.SENT)),
    )


def _place(rows: QuerySet[Any]) -> Any:
    found = rows.first()
    if found is None:
        raise InvalidInputError("cursor: expected the place of a link that was given out, found another.")
    return found
