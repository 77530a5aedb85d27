"""Pages of a long list by position in its order, not by number: page 1000 costs what page 1 costs, and no count is made.

The order is that of `DeletionRequest`: newest first, then by id. A cursor names a row's place in it.
"""

import uuid
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime

from django.db.models import Q, QuerySet

from compliance.requests.models import DeletionRequest

PAGE_ROWS = 25
_SEPARATOR = "_"


class CursorError(ValueError):
    """The text is not a cursor: the address was cut short or edited."""


@dataclass(frozen=True)
class Page:
    """Rows in the order of the list, and the cursors of the pages beside it; None where there is none."""

    rows: list[DeletionRequest]
    newer_than: str | None
    older_than: str | None


def page(
    requests: QuerySet[DeletionRequest],
    *,
    older_than: str | None = None,
    newer_than: str | None = None,
    n_rows: int = PAGE_ROWS,
) -> Page:
    """The first page, or the one just after (older) or before (newer) a cursor; raises CursorError. One query."""
    if newer_than:
        return _newer(requests, newer_than, n_rows)
    rows = list((requests.filter(_after(older_than)) if older_than else requests)[: n_rows + 1])
    shown = rows[:n_rows]
    return Page(
        rows=shown,
        newer_than=cursor(shown[0]) if shown and older_than else None,
        older_than=cursor(shown[-1]) if len(rows) > n_rows else None,
    )


def cursor(request: DeletionRequest) -> str:
    """The place of a row."""
    return f"{request.received_at.isoformat()}{_SEPARATOR}{request.pk}"


def _newer(requests: QuerySet[DeletionRequest], newer_than: str, n_rows: int) -> Page:
    # Read backwards from the cursor, or the page furthest away from it would be found.
    rows = list(requests.filter(_before(newer_than)).order_by("received_at", "-id")[: n_rows + 1])
    shown = rows[:n_rows][::-1]
    return Page(
        rows=shown,
        newer_than=cursor(shown[0]) if len(rows) > n_rows else None,
        older_than=cursor(shown[-1]) if shown else None,
    )


def _after(text: str) -> Q:
    at, request_id = _parse(text)
    # Written as a bound and an exception to it: from an OR of two cases, databases start at the top of the index.
    return Q(received_at__lte=at) & (Q(received_at__lt=at) | Q(id__gt=request_id))


def _before(text: str) -> Q:
    at, request_id = _parse(text)
    return Q(received_at__gte=at) & (Q(received_at__gt=at) | Q(id__lt=request_id))


def _parse(text: str) -> tuple[datetime, uuid.UUID]:
    time, _, request_id = text.partition(_SEPARATOR)
    try:
        at = datetime.fromisoformat(time)
        # A zone can push a time out of the calendar, where the database would meet it.
        is_in_calendar = at.tzinfo is None or 1 < at.astimezone(UTC).year < MAXYEAR
        row = uuid.UUID(request_id)
    except (OverflowError, ValueError) as error:
        raise CursorError("Expected the place of a request in the list, found something else.") from error
    if not is_in_calendar:
        raise CursorError("Expected the place of a request in the list, found a time outside the calendar.")
    if at.tzinfo is None:
        raise CursorError("Expected a time with a zone in the place of a request, found one without.")
    return at, row
