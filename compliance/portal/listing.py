"""Which requests the list shows and in which order, as its address says it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse

from compliance.requests import queries
from compliance.requests.keyset import DUE_FIRST, NEWEST_FIRST, NEWEST_IN_STATE, Order, in_state
from compliance.requests.models import DeletionRequest
from compliance.requests.states import TERMINAL, RequestState


class Due(StrEnum):
    """Open requests in the order of their due dates: all, or those whose date is past."""

    OPEN = "open"
    OVERDUE = "overdue"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A view of the list. `due` is None for all requests, newest first."""

    state: RequestState | None = None
    due: Due | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """The view that an address names; raises ValueError for one that there is not."""
        state, due = query.get("state"), query.get("due")
        return cls(state=RequestState(state) if state else None, due=Due(due) if due else None)

    @property
    def order(self) -> Order:
        """How the rows are ordered."""
        if self.due is not None:
            return DUE_FIRST
        return NEWEST_FIRST if self.state is None else NEWEST_IN_STATE

    def rows(self, today: date) -> QuerySet[DeletionRequest]:
        """The requests. What their dates were counted from is two thousand bytes a row, and stays in the database."""
        rows = queries.listing().defer("deadlines")
        if self.due is None:
            return rows if self.state is None else in_state(rows, self.state)
        open_rows = rows.filter(closed_at=None) if self.state is None else rows.filter(closed_at=None, state=self.state)
        return open_rows.filter(due_date__lt=today) if self.due is Due.OVERDUE else open_rows

    def with_state(self, state: RequestState | None) -> Self:
        """The same view of one state; where all in it are closed, the newest first."""
        keeps_due = state not in TERMINAL and self.due is Due.OPEN
        return replace(self, state=state, due=self.due if keeps_due else None)

    def with_due(self, due: Due | None) -> Self:
        """The same state by due date."""
        return replace(self, state=None if due and self.state in TERMINAL else self.state, due=due)

    def address(self, **cursor: str) -> str:
        """Its address, or that of a page of it."""
        named = {"state": self.state and self.state.value, "due": self.due and self.due.value, **cursor}
        query = urlencode({name: value for name, value in named.items() if value})
        return reverse("portal:requests") + (f"?{query}" if query else "")


def overdue_by_state(today: date) -> dict[str, int]:
    """How many open requests of each state are overdue; states without any are left out. One query."""
    overdue = DeletionRequest.objects.filter(closed_at=None, due_date__lt=today)
    return dict(overdue.order_by().values_list("state").annotate(n=Count("pk")))
