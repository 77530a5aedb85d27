"""Filters and orders of the list: what each keeps, that pages fit together, and that each is one query of an index."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from compliance.api.staff.listing import order_of, rows_of
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of, refused, staff

pytestmark = pytest.mark.django_db
BAD_QUERIES: dict[str, tuple[dict[str, Any], str]] = {
    "an order that there is not": ({"ordering": "id"}, "#/ordering"),
    "an order twice": ({"ordering": ["due_date", "-received_at"]}, "#/ordering"),
    "no day": ({"due_before": "tomorrow"}, "#/due_before"),
    "no such day": ({"due_before": "2026-02-30"}, "#/due_before"),
    "neither yes nor no": ({"overdue": "maybe"}, "#/overdue"),
    "a channel that there is not": ({"channel": "fax"}, "#/channel"),
    "a law that there is not": ({"regulation": "hipaa"}, "#/regulation"),
    "a short beginning": ({"id_prefix": "abc"}, "#/id_prefix"),
    "a beginning of dashes": ({"id_prefix": "a----"}, "#/id_prefix"),
    "no hexadecimal": ({"id_prefix": "xyz12"}, "#/id_prefix"),
    "one state of two": ({"state": ["received", "open"]}, "#/state/1"),
    "a cursor of the other order": (
        {"ordering": "due_date", "cursor": f"after.2026-05-01T12:00:00+00:00_{uuid.uuid4()}"},
        "#/cursor",
    ),
    "a cursor before all time": ({"cursor": f"after.0001-01-01T00:00:00+14:00_{uuid.uuid4()}"}, "#/cursor"),
    "a cursor after all time": ({"cursor": f"before.9999-12-31T23:59:59-14:00_{uuid.uuid4()}"}, "#/cursor"),
    "a cursor without direction": ({"cursor": f"2026-05-01T12:00:00+00:00_{uuid.uuid4()}"}, "#/cursor"),
    "a cursor without place": ({"cursor": "after."}, "#/cursor"),
}


@pytest.mark.parametrize("name", BAD_QUERIES)
def test_a_query_that_is_not_known_is_refused(name: str) -> None:
    query, pointer = BAD_QUERIES[name]
    problem = refused(staff(cast.bob()).get("staff-requests", **query), 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def _listed(**query: Any) -> set[str]:
    return {row["id"] for row in body_of(staff(cast.bob()).get("staff-requests", **query))["results"]}


def _made(state: RequestState = RequestState.RECEIVED, **columns: Any) -> str:
    request = cast.brought_to(state, f"{uuid.uuid4()}@example.org").request
    DeletionRequest.objects.filter(pk=request.pk).update(**columns)
    return str(request.pk)


def test_states_can_be_named_together() -> None:
    received, proven = _made(), _made(RequestState.UNDER_REVIEW)
    _made(RequestState.WITHDRAWN)
    assert _listed(state=["received", "under_review"]) == {received, proven}
    assert _listed(state="under_review") == {proven}


def test_only_open_requests_are_due() -> None:
    today = localdate()
    late, later = _made(due_date=today - timedelta(days=1)), _made(due_date=today)
    _made(RequestState.WITHDRAWN, due_date=today - timedelta(days=9))
    assert _listed(overdue="true") == {late}
    assert _listed(due_before=today.isoformat()) == {late}
    assert _listed(due_before=(today + timedelta(days=1)).isoformat()) == {late, later}
    assert len(_listed(overdue="false")) == 3


def test_channel_and_law_are_kept_together() -> None:
    wanted = _made(channel="portal", regulation="ccpa")
    _made(channel="portal")
    _made(regulation="ccpa")
    assert _listed(channel="portal", regulation="ccpa") == {wanted}


@pytest.mark.parametrize("n_characters", [4, 8, 9, 13, 36])
def test_an_id_is_found_by_how_it_begins(n_characters: int) -> None:
    made = {_made() for _ in range(3)}
    wanted = min(made)
    found = _listed(id_prefix=wanted[:n_characters].upper())
    assert found == {pk for pk in made if pk.startswith(wanted[:n_characters])}


def _walk(caller: Caller, link: str, address: str) -> list[list[str]]:
    pages = []
    while address:
        page = caller.http.get(address, headers={"Authorization": caller.authorization}).json()
        pages.append([row["id"] for row in page["results"]])
        address = page[link]
    return pages


@pytest.mark.parametrize("ordering", ["-received_at", "due_date"])
def test_pages_hold_every_request_once_forwards_and_back_also_where_all_stand_at_one_place(ordering: str) -> None:
    for number in range(103):
        cast.ask(f"person{number}@example.org")
    when = datetime(2026, 5, 1, 12, tzinfo=UTC)
    DeletionRequest.objects.update(received_at=when, due_date=date(2026, 6, 1))
    bob = staff(cast.bob())
    forwards = _walk(bob, "next", f"/api/v1/staff/requests?ordering={ordering}&overdue=false")
    assert [len(page) for page in forwards] == [50, 50, 3]
    expected = [str(pk) for pk in sorted(DeletionRequest.objects.values_list("pk", flat=True))]
    assert [pk for page in forwards for pk in page] == expected
    last = f"after.{when.isoformat() if ordering == '-received_at' else '2026-06-01'}_{forwards[1][-1]}"
    address = f"/api/v1/staff/requests?ordering={ordering}&cursor={last.replace('+', '%2B')}"
    assert _walk(bob, "previous", address) == forwards[::-1]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="all"),
        pytest.param({"ordering": "due_date", "overdue": "true", "state": ["received", "attention"]}, id="much"),
    ],
)
def test_a_page_is_one_query_that_leaves_large_columns_alone(query: dict[str, Any]) -> None:
    bob = staff(cast.bob())
    bob.get("staff-requests")
    with CaptureQueriesContext(connection) as queries:
        assert bob.get("staff-requests", **query).status_code == 200
    (listing,) = [found["sql"] for found in queries if "requests_deletionrequest" in found["sql"]]
    assert '"deadlines"' not in listing
    assert '"scope"' not in listing


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        pytest.param({"ordering": "-received_at"}, "requests_by_time", id="newest"),
        pytest.param({"ordering": "-received_at", "state": ["attention"]}, "requests_by_state", id="state"),
        pytest.param({"ordering": "-received_at", "state": ["completed"]}, "requests_by_state", id="usual state"),
        pytest.param({"ordering": "-received_at", "channel": "opendsr"}, "requests_by_channel", id="channel"),
        pytest.param({"ordering": "-received_at", "regulation": "ccpa"}, "requests_by_regulation", id="law"),
        pytest.param({"ordering": "due_date"}, "open_requests_by_due_date", id="due"),
        pytest.param({"ordering": "-received_at", "id_prefix": "abcd1234"}, "pkey", id="id"),
    ],
)
def test_postgresql_answers_from_an_index(asked: dict[str, Any], index: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("plans of PostgreSQL")
    _fill()
    plan = json.dumps(rows_of(asked).order_by(*order_of(asked).columns)[:51].explain())
    assert index in plan, plan


def _fill() -> None:
    """Twenty thousand requests, of which few are open and fewer need attention, and what the planner knows of them."""
    cast.ask()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO requests_deletionrequest
            SELECT (jsonb_populate_record(one, jsonb_build_object(
                'id', gen_random_uuid(),
                'token_sha256', md5(number::text),
                'received_at', one.received_at - number * interval '1 minute',
                'due_date', one.due_date - number % 300,
                'state', CASE WHEN number % 2000 = 0 THEN 'attention' WHEN number % 7 = 0 THEN 'under_review' ELSE 'completed' END,
                'closed_at', CASE WHEN number % 2000 = 0 OR number % 7 = 0 THEN NULL ELSE one.received_at END
            ))).*
            FROM requests_deletionrequest AS one, generate_series(1, 20000) AS number
            """
        )
        cursor.execute("ANALYZE requests_deletionrequest")
