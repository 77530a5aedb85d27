"""The list of requests: filters, pages, what it says when it is empty, and that it costs the same at any length."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance.portal.templatetags.portal import counted
from compliance.requests import keyset
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import address, seen, signed_in
from tests.compliance.portal.html_page import Page

pytestmark = pytest.mark.django_db

URL = reverse("portal:requests")


def ask_many(n_requests: int) -> list[str]:
    """New requests, one second apart, oldest first, as the beginnings of their ids."""
    first = datetime.now(tz=UTC) - timedelta(days=1)
    names = []
    for number in range(n_requests):
        request = cast.ask(f"person.{number}@example.org").request
        DeletionRequest.objects.filter(pk=request.pk).update(received_at=first + timedelta(seconds=number))
        names.append(str(request.pk))
    return names


def shown(page: Page) -> list[str]:
    """The ids of the requests in the table, from the top."""
    links = [element.attributes["href"] for element in page.all("a", **{"class": "mono"})]
    return [link.removeprefix(URL).strip("/") for link in links]


def next_address(page: Page, rel: str) -> str | None:
    """The address of the older (next) or newer (prev) page."""
    links = page.all("a", rel=rel)
    return links[0].attributes["href"] if links else None


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"state": "nonsense"}, id="unknown state"),
        pytest.param({"state": "' OR 1=1 --"}, id="state with quotes"),
        pytest.param({"due": "tomorrow"}, id="unknown due"),
        pytest.param({"due": "open", "after": "2026-05-01"}, id="due date without id"),
        pytest.param(
            {"due": "open", "after": "2026-05-01T12:00:00+00:00_00000000-0000-4000-8000-000000000001"},
            id="a cursor of the other order",
        ),
        pytest.param({"after": "nonsense"}, id="no cursor"),
        pytest.param({"after": "2026-05-01T12:00:00+00:00"}, id="cursor without id"),
        pytest.param({"after": "2026-05-01T12:00:00_00000000-0000-4000-8000-000000000001"}, id="time without zone"),
        pytest.param({"before": "yesterday_00000000-0000-4000-8000-000000000001"}, id="cursor without time"),
    ],
)
def test_it_answers_a_damaged_address_with_not_found(query: dict[str, str]) -> None:
    page = seen(signed_in(cast.bob()), f"{URL}?{urlencode(query)}", status=404)
    assert page.problems == []


def test_an_empty_list_says_what_to_do_next() -> None:
    page = seen(signed_in(cast.bob()), URL)
    assert "No one has asked to be forgotten yet" in page.text
    assert "/api/v1/requests" in page.text
    assert page.problems == []
    assert not page.all("table")


def test_an_empty_state_leads_back_to_all() -> None:
    cast.ask()
    page = seen(signed_in(cast.bob()), f"{URL}?state=completed")
    assert "No request is in the state “Completed”" in page.text
    assert page.all("a", href=URL)
    assert page.problems == []


def test_it_filters_by_state_and_counts_every_state() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    for state in (RequestState.RECEIVED, RequestState.RECEIVED, RequestState.UNDER_REVIEW, RequestState.REFUSED):
        cast.brought_to(state)
    client = signed_in(cast.bob())
    for state, n in Counter({RequestState.RECEIVED: 2, RequestState.UNDER_REVIEW: 1, RequestState.REFUSED: 1}).items():
        page = seen(client, f"{URL}?state={state.value}")
        assert len(shown(page)) == n
        assert f"{state.label} {n}" in page.text
        assert page.problems == []
    everything = seen(client, URL)
    assert "All 4" in everything.text
    assert "3 open. Waiting for staff: 1 under review" in everything.text
    assert [f"{state.label} " in everything.text for state in RequestState] == [True] * len(RequestState)


def test_it_names_the_models_concerned_once_they_are_decided() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("ranking", cast.ALICE)
    cast.model_of("churn", cast.CHARLIE)
    cast.brought_to(RequestState.APPROVED)
    cast.brought_to(RequestState.RECEIVED)
    text = seen(signed_in(cast.audrey()), URL).text
    assert "ranking , spam-filter" in text.replace(",", " , ").replace("  ", " ")
    assert "churn" not in text
    assert "not decided" in text


def test_pages_lead_through_all_requests_and_back() -> None:
    names = ask_many(2 * keyset.PAGE_ROWS + 3)[::-1]
    client = signed_in(cast.bob())
    pages: list[Page] = []
    url: str | None = URL
    while url is not None:
        pages.append(seen(client, url))
        url = next_address(pages[-1], "next")
        assert len(pages) <= 3
    assert [name for page in pages for name in shown(page)] == names
    back = next_address(pages[-1], "prev")
    while back is not None:
        pages.append(seen(client, back))
        back = next_address(pages[-1], "prev")
        assert len(pages) <= 5
    assert shown(pages[-1]) == names[: keyset.PAGE_ROWS]
    assert all(page.problems == [] for page in pages)


def test_the_filter_stays_on_when_paging() -> None:
    ask_many(keyset.PAGE_ROWS + 1)
    cast.brought_to(RequestState.UNDER_REVIEW)
    client = signed_in(cast.bob())
    older = next_address(seen(client, f"{URL}?state=received"), "next")
    assert older is not None and "state=received" in older
    page = seen(client, older)
    assert len(shown(page)) == 1
    assert "state=received" in str(next_address(page, "prev"))


def n_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        seen(client, URL)
    return len(queries)


def test_it_costs_the_same_number_of_queries_at_5_and_at_50_requests() -> None:
    cast.model_of("spam-filter", *(f"person.{number}@example.org" for number in range(50)))
    client = signed_in(cast.bob())
    costs = []
    for numbers in (range(5), range(5, 50)):
        for number in numbers:
            cast.brought_to(RequestState.APPROVED, f"person.{number}@example.org")
        costs.append(n_queries(client))
    assert costs[0] == costs[1]
    assert DeletionRequest.objects.count() == 50


def test_it_shows_no_personal_data() -> None:
    cast.model_of("spam-filter", cast.ALICE, cast.CHARLIE)
    cast.brought_to(RequestState.APPROVED)
    cast.brought_to(RequestState.IDENTITY_PENDING, cast.CHARLIE)
    for user in (cast.bob(), cast.dana(), cast.audrey()):
        html = seen(signed_in(user), URL).html
        assert cast.MARK not in html
        assert "alice" not in html


def test_the_home_page_is_the_list() -> None:
    response = signed_in(cast.bob()).get("/")
    assert (response.status_code, response["Location"]) == (302, URL)
    assert address("request", cast.ask().request.pk).startswith(URL)


@pytest.mark.parametrize(("n", "shown"), [(0, "0"), (999, "999"), (1_000, "1,000+"), (5_432, "1,000+")])
def test_from_a_thousand_on_nobody_counts(n: int, shown: str) -> None:
    assert counted(n) == shown
