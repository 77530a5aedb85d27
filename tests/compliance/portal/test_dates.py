"""By when a request is answered: on its page, when more time is taken, and in the list."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from compliance.ledger.actors import SYSTEM
from compliance.requests import clocks, keyset, transitions
from compliance.requests.actions.complain import complain
from compliance.requests.actions.extend import notice_sent
from compliance.requests.links import link
from compliance.requests.models import DeletionRequest, ExtensionReason, LinkReason
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, everything, seen, signed_in
from tests.compliance.portal.html_page import Page
from tests.compliance.portal.test_listing import next_address, shown

pytestmark = pytest.mark.django_db

URL = reverse("portal:requests")


def received(request_id: uuid.UUID, days_ago: int) -> DeletionRequest:
    """The request, as if it had arrived so many days ago."""
    request = DeletionRequest.objects.get(pk=request_id)
    request.received_at = datetime.now(tz=UTC) - timedelta(days=days_ago)
    request.pauses.all().delete()
    clocks.begin(request)
    request.save()
    return request


def due(days: list[int]) -> list[str]:
    """New requests due so many days from today, as their ids."""
    ids = []
    for number, n_days in enumerate(days):
        request = cast.ask(f"person.{number}@example.org").request
        DeletionRequest.objects.filter(pk=request.pk).update(due_date=localdate() + timedelta(days=n_days))
        ids.append(str(request.pk))
    return ids


def spelt(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def text_of(request_id: uuid.UUID) -> str:
    return seen(signed_in(cast.dana()), address("request", request_id)).text


def test_more_time_is_not_offered_twice_nor_after_the_first_period() -> None:
    late = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    received(late, days_ago=60)
    taken = cast.brought_to(RequestState.UNDER_REVIEW, cast.CHARLIE).request.pk
    cast.take_more_time(taken)
    dana = signed_in(cast.dana())
    for request_id, why in ((late, "found a later one"), (taken, "was decided already")):
        page = seen(dana, address("request", request_id))
        assert "extend" not in page.actions()
        before = everything()
        page = act(dana, "extend", request_id, {"reason": "complexity"})
        assert why in page.text and page.all("li", role="alert")
        assert everything() == before
    assert "no extension is possible" in text_of(late)


def test_the_page_says_by_when_and_why() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dates = clocks.deadlines(DeletionRequest.objects.get(pk=request_id))
    page = seen(signed_in(cast.audrey()), address("request", request_id))
    n_days = dates.days_left(datetime.now(tz=UTC))
    assert f"Answer by {spelt(dates.current.due_date)} {n_days} days left" in page.text
    for reason in dates.because:
        assert reason in page.text
    assert f"It can be, to {spelt(dates.extended_target.due_date)}" in page.text


def test_an_overdue_request_is_an_alarm() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    request = received(request_id, days_ago=60)
    n_days = -clocks.deadlines(request).days_left(datetime.now(tz=UTC))
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert f"overdue by {n_days} days" in page.text
    assert page.all("span", **{"class": "badge alarm"})


def test_a_closed_request_tells_whether_it_was_in_time() -> None:
    in_time = cast.brought_to(RequestState.REFUSED).request.pk
    late = cast.brought_to(RequestState.REFUSED, cast.CHARLIE).request.pk
    received(late, days_ago=60)
    assert "closed in time" in text_of(in_time) and "Was to be answered by" in text_of(in_time)
    assert "closed late" in text_of(late)
    assert "Not extended" not in text_of(late)


def test_pauses_are_shown_beside_the_date_that_counts() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    request = received(request_id, days_ago=20)
    request.pauses.create(
        reason="question",
        from_at=request.received_at + timedelta(days=1),
        until_at=request.received_at + timedelta(days=12),
    )
    with transaction.atomic():
        clocks._recount(request)
    end = clocks.deadlines(request).current
    assert end.paused_due_date is not None and end.paused_due_date > end.due_date
    text = text_of(request_id)
    assert f"Answer by {spelt(end.due_date)}" in text
    assert f"If the pauses are accepted: {spelt(end.paused_due_date)}" in text


def test_the_date_moves_when_the_person_was_told() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dana = signed_in(cast.dana())
    page = act(dana, "extend", request_id, {"reason": "complexity"})
    request = DeletionRequest.objects.get(pk=request_id)
    first = clocks.deadlines(request)
    assert request.extension_reason == ExtensionReason.COMPLEXITY
    assert "the person has not been told yet" in page.text
    assert f"Answer by {spelt(first.first.due_date)}" in page.text
    with transaction.atomic():
        notice_sent(transitions.locked(request_id), datetime.now(tz=UTC))
    text = text_of(request_id)
    assert f"Answer by {spelt(first.extended_target.due_date)}" in text
    assert re.search(r"Extended: complexity of the request\. The person was told at", text)


def test_a_notice_that_came_too_late_moves_nothing() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    cast.take_more_time(request_id)
    received(request_id, days_ago=60)
    assert "The extension does not hold." in text_of(request_id)


def test_the_list_shows_how_far_each_date_is() -> None:
    due([-3, 0, 20])
    page = seen(signed_in(cast.bob()), URL)
    for text in ("overdue by 3 days", "due today", "20 days left"):
        assert text in page.text
    assert "1 overdue" in page.text
    assert [element.attributes["class"] for element in page.all("span") if "alarm" in element.attributes["class"]] == [
        "badge alarm"
    ]


def test_open_requests_are_listed_by_due_date_and_overdue_ones_alone() -> None:
    late, soon, far, later = due([-1, 3, 20, -9])
    cast.brought_to(RequestState.WITHDRAWN, cast.CHARLIE)
    bob = signed_in(cast.bob())
    assert shown(seen(bob, f"{URL}?due=open")) == [later, late, soon, far]
    page = seen(bob, f"{URL}?due=overdue")
    assert shown(page) == [later, late]
    assert page.problems == [] and "Overdue 2" in page.text
    assert shown(seen(bob, f"{URL}?due=overdue&state=under_review")) == []


def test_without_an_overdue_request_the_list_says_so() -> None:
    due([3])
    page = seen(signed_in(cast.bob()), f"{URL}?due=overdue")
    assert "No request is overdue" in page.text and page.problems == []


def test_pages_by_due_date_lead_there_and_back() -> None:
    ids = due([number // 3 for number in range(keyset.PAGE_ROWS + 5)])
    bob = signed_in(cast.bob())
    first = seen(bob, f"{URL}?due=open")
    following = next_address(first, "next")
    assert following is not None and "due=open" in following
    second = seen(bob, following)
    assert sorted(shown(first) + shown(second)) == sorted(ids)
    back = next_address(second, "prev")
    assert back is not None
    assert shown(seen(bob, back)) == shown(first)


def test_every_way_to_look_at_the_list_is_a_sound_page_with_the_right_counts() -> None:
    due([-1, 3])
    cast.brought_to(RequestState.WITHDRAWN, cast.CHARLIE)
    bob = signed_in(cast.bob())
    pages = [seen(bob, f"{URL}?{query}") for query in ("", "due=open", "state=received", "due=open&state=received")]
    for page in pages:
        assert page.problems == []
        for text, address_of in links(page):
            counted = re.fullmatch(r".* (\d+)", text)
            if counted:
                assert len(shown(seen(bob, address_of))) == int(counted[1]), (text, address_of)


def links(page: Page) -> list[tuple[str, str]]:
    """The filters of a page as (words with their count, address)."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)<span class="count">(\d+)</span>', page.html)
    return [(f"{label.strip()} {n}", href.replace("&amp;", "&")) for href, label, n in found]


def test_the_list_leaves_what_the_dates_were_counted_from_in_the_database() -> None:
    due([-1, 3])
    bob = signed_in(cast.bob())
    for query in ("", "?due=open", "?due=overdue"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            seen(bob, URL + query)
        assert not [query["sql"] for query in queries if '"deadlines"' in query["sql"]]


def test_related_requests_lead_to_one_another_with_their_reason() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    earlier = cast.brought_to(RequestState.COMPLETED).request.pk
    later = complain(earlier, text=f"It knows {cast.ALICE}.", channel="web").request.pk
    cast.prove(later)
    client = signed_in(cast.audrey())
    page = seen(client, address("request", later))
    assert page.all("a", href=address("request", earlier)) and page.problems == []
    assert "The person says that a model still knows them" in page.text
    assert page.text.count(str(earlier)[:8]) == 2, "once in the table of related requests, once in the ledger"
    assert cast.MARK not in page.html
    back = seen(client, address("request", earlier))
    assert back.all("a", href=address("request", later)) and "later" in back.text
    assert "It knows" in seen(signed_in(cast.bob()), address("request", later)).text


def test_it_costs_the_same_number_of_queries_with_one_link_and_with_five() -> None:
    newest = cast.ask().request
    client, costs = signed_in(cast.bob()), []
    for number in range(5):
        other = cast.ask(f"person.{number}@example.org").request
        with transaction.atomic():
            link(transitions.locked(newest.pk), other, LinkReason.RESTORE, actor=SYSTEM)
        with CaptureQueriesContext(connection) as queries:
            page = seen(client, address("request", newest.pk))
        costs.append(len(queries))
        assert page.problems == []
        links_read = [query["sql"] for query in queries if "requests_requestlink" in query["sql"]]
        assert len(links_read) == 2 and not any('"deadlines"' in sql for sql in links_read)
    assert len(set(costs)) == 1
