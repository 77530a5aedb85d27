"""What lists and sweeps read on PostgreSQL: rows in proportion to what they find, whatever else is stored.

Read is each row that a scan looks at, also where it drops it: the plan that was run says how many.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from compliance.api.staff.listing import order_of, rows_of
from compliance.portal.listing import Due, Listing
from compliance.requests import keyset, queries, retention
from compliance.requests.keyset import Order
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.benchmarks.api_parts import seeding

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="plans of PostgreSQL"),
]
# A third of them are open: what reads all of one state, or walks past all that are open, reads thousands.
N_REQUESTS, N_DAYS = 20_000, 100
MOST_SWEPT = 1_000
# Of each row: its place in the index, itself, and its models.
MOST_LISTED = 4 * (keyset.PAGE_ROWS + 1)
TODAY = date(2100, 1, 1)

VIEWS = [
    *(Listing(state=state) for state in (None, *RequestState)),
    *(Listing(state=state, due=due) for due in Due for state in (None, RequestState.UNDER_REVIEW)),
]
ASKED: list[dict[str, Any]] = [
    {"state": ["completed"]},
    {"channel": "opendsr"},
    {"regulation": "ccpa"},
    {"id_prefix": "abcd"},
    {"overdue": True},
    {"ordering": "due_date", "state": ["under_review"]},
]
#: Each finds less than a hundred rows of each of its kinds.
SWEEPS: dict[str, Callable[[], object]] = {
    "lost_work": lambda: queries.lost_work(datetime.now(tz=UTC)),
    "due_shreddings": lambda: retention.due(datetime.now(tz=UTC)),
}
LISTS: dict[str, tuple[QuerySet[DeletionRequest], Order]] = {
    **{f"portal, {view}": (view.rows(TODAY), view.order) for view in VIEWS},
    **{f"API, {asked}": (rows_of(asked), order_of(asked)) for asked in ASKED},
}


def test_sweeps_read_few_rows_and_lists_little_more_than_they_show() -> None:
    seeding.grow(N_REQUESTS, N_DAYS)
    read = {name: n_read(call) for name, call in SWEEPS.items()}
    assert {name: n for name, n in read.items() if n > MOST_SWEPT} == {}
    read = {name: n_read(partial(keyset.page, rows, order)) for name, (rows, order) in LISTS.items()}
    assert {name: n for name, n in read.items() if n > MOST_LISTED} == {}
    # A bitmap is a scan of the index and one of the rows.
    assert n_read(queries.counts_by_state) <= 2 * sum(queries.counts_by_state().values()) < 2 * N_REQUESTS
    assert n_read(DeletionRequest.objects.filter(commitment="").count) == N_REQUESTS, "this must see what is dropped"


def n_read(call: Callable[[], object]) -> int:
    """Rows that the scans of all its queries look at."""
    with CaptureQueriesContext(connection) as captured:
        call()
    n = 0
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            (found,) = cursor.fetchone()
        plan = json.loads(found) if isinstance(found, str) else found
        n += sum(_looked_at(node) for node in _nodes(plan[0]["Plan"]))
    return n


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


def _looked_at(node: dict[str, Any]) -> int:
    if not node["Node Type"].endswith("Scan") or node["Node Type"] == "Subquery Scan":
        return 0
    dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    n_each = node["Actual Rows"] + sum(node.get(name, 0) for name in dropped)
    return int(node["Actual Loops"] * n_each)
