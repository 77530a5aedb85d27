"""Pages of a long list by position in its order, not by number: page 1000 costs what page 1 costs, and no count is made.

A cursor names a row's place in the order: its value of the ordering column, and its id.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import MAXYEAR, UTC, date, datetime

from django.db.models import Q, QuerySet

from compliance.requests.models import DeletionRequest

PAGE_ROWS = 25
_NO_STATE = ""
_SEPARATOR = "_"


class CursorError(ValueError):
    """The text is not a cursor: the address was cut short or edited."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of requests by one column, then by id upwards; `parse` reads the column's value in a cursor.

    `shared` is a column that has the same value in all rows, named for the sake of its index.
    """

    column: str
    is_downwards: bool
    parse: Callable[[str], date]
    shared: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """What the database orders by."""
        ordered = (f"-{self.column}" if self.is_downwards else self.column), "id"
        return (self.shared, *ordered) if self.shared else ordered

    @property
    def columns_backwards(self) -> tuple[str, ...]:
        """The same list from its end."""
        return tuple(name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in self.columns)


@dataclass(frozen=True)
class Page:
    """Rows in the order of the list, and the cursors of the pages beside it; None where there is none."""

    rows: list[DeletionRequest]
    before: str | None
    after: str | None


def time_in(text: str) -> datetime:
    """The time in a cursor, with a zone and inside the calendar of every database; raises CursorError."""
    try:
        at = datetime.fromisoformat(text)
        # A zone can push a time out of the calendar, where the database would meet it.
        is_in_calendar = at.tzinfo is None or 1 < at.astimezone(UTC).year < MAXYEAR
    except (OverflowError, ValueError) as error:
        raise CursorError("Expected the place of a request in the list, found something else.") from error
    if not is_in_calendar:
        raise CursorError("Expected the place of a request in the list, found a time outside the calendar.")
    if at.tzinfo is None:
        raise CursorError("Expected a time with a zone in the place of a request, found one without.")
    return at


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CursorError("Expected the place of a request in the list, found something else.") from error


#: Each is the order of an index.
NEWEST_FIRST = Order(column="received_at", is_downwards=True, parse=time_in)
#: The same of what `in_state` lets through.
NEWEST_IN_STATE = replace(NEWEST_FIRST, shared="state")
DUE_FIRST = Order(column="due_date", is_downwards=False, parse=_date)


def in_state(requests: QuerySet[DeletionRequest], state: str) -> QuerySet[DeletionRequest]:
    """The requests in one state, for a list in the order NEWEST_IN_STATE.

    Asked for one state newest first, PostgreSQL may walk through all requests by time and drop the others: it takes
    states to be mixed evenly, but the newest requests are all open. Asked for two, of which one is that of no request,
    it cannot know that the state does not change the order, and finds this order in the index by state alone.
    """
    return requests.filter(state__in=(state, _NO_STATE))


def page(
    requests: QuerySet[DeletionRequest],
    order: Order = NEWEST_FIRST,
    *,
    after: str | None = None,
    before: str | None = None,
    n_rows: int = PAGE_ROWS,
) -> Page:
    """The first page, or the one just after or before a cursor; raises CursorError. One query."""
    if before:
        return _page_before(requests, order, before, n_rows)
    ordered = requests.order_by(*order.columns)
    rows = list((ordered.filter(_beyond(order, after, is_back=False)) if after else ordered)[: n_rows + 1])
    shown = rows[:n_rows]
    return Page(
        rows=shown,
        before=cursor(shown[0], order) if shown and after else None,
        after=cursor(shown[-1], order) if len(rows) > n_rows else None,
    )


def cursor(request: DeletionRequest, order: Order = NEWEST_FIRST) -> str:
    """The place of a row."""
    return f"{getattr(request, order.column).isoformat()}{_SEPARATOR}{request.pk}"


def _page_before(requests: QuerySet[DeletionRequest], order: Order, before: str, n_rows: int) -> Page:
    # Read backwards from the cursor, or the page furthest away from it would be found.
    backwards = requests.filter(_beyond(order, before, is_back=True)).order_by(*order.columns_backwards)
    rows = list(backwards[: n_rows + 1])
    shown = rows[:n_rows][::-1]
    return Page(
        rows=shown,
        before=cursor(shown[0], order) if len(rows) > n_rows else None,
        after=cursor(shown[-1], order) if shown else None,
    )


def _beyond(order: Order, text: str, *, is_back: bool) -> Q:
    value, request_id = _parse(order, text)
    sign = "lt" if order.is_downwards is not is_back else "gt"
    ids = Q(id__lt=request_id) if is_back else Q(id__gt=request_id)
    # Written as a bound and an exception to it: from an OR of two cases, databases start at the top of the index.
    return Q(**{f"{order.column}__{sign}e": value}) & (Q(**{f"{order.column}__{sign}": value}) | ids)


def _parse(order: Order, text: str) -> tuple[date, uuid.UUID]:
    value, _, request_id = text.partition(_SEPARATOR)
    try:
        return order.parse(value), uuid.UUID(request_id)
    except CursorError:
        raise
    except ValueError as error:
        raise CursorError("Expected the place of a request in the list, found something else.") from error
