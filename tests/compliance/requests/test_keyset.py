"""Paging by position against the obvious twin: the whole list, cut into slices."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from compliance.requests import keyset
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

START = datetime(2026, 5, 1, tzinfo=UTC)
ORDERS = [keyset.NEWEST_FIRST, keyset.NEWEST_IN_STATE, keyset.DUE_FIRST]
SOMEBODY = "00000000-0000-4000-8000-000000000001"


def store(places: list[int]) -> None:
    """One request at each of these places, as minutes of receipt and as due days; the same may occur several times."""
    DeletionRequest.objects.bulk_create(
        DeletionRequest(
            state=RequestState.RECEIVED,
            channel="api",
            regulation="gdpr",
            ground="art17_1_b",
            received_at=START + timedelta(minutes=place),
            due_date=date(2026, 6, 1) + timedelta(days=place),
            changed_at=START,
            token_sha256=f"{number:064x}",
            commitment="0" * 64,
        )
        for number, place in enumerate(places)
    )


class TestPagesAgainstSlices(TestCase):
    """Every example is rolled back, which only this class of Hypothesis does."""

    @settings(max_examples=40, deadline=None)
    @given(places=st.lists(st.integers(0, 4), max_size=17), n_rows=st.integers(1, 5), order=st.sampled_from(ORDERS))
    def test_the_pages_there_and_back_are_the_slices_of_the_list(
        self, places: list[int], n_rows: int, order: keyset.Order
    ) -> None:
        store(places)
        requests = DeletionRequest.objects.all()
        ordered = list(requests.order_by(*order.columns))
        slices = [ordered[at : at + n_rows] for at in range(0, len(places), n_rows)] or [[]]
        page = keyset.page(requests, order, n_rows=n_rows)
        forward = [page]
        while page.after:
            page = keyset.page(requests, order, after=page.after, n_rows=n_rows)
            forward.append(page)
            assert len(forward) <= len(slices), "the pages go round in a circle"
        assert [page.rows for page in forward] == slices
        backward = [page]
        while page.before:
            page = keyset.page(requests, order, before=page.before, n_rows=n_rows)
            backward.append(page)
            assert len(backward) <= len(slices), "the pages go round in a circle"
        assert [page.rows for page in backward[1:]] == slices[:-1][::-1]
        assert page.before is None

    @settings(max_examples=20, deadline=None)
    @given(places=st.lists(st.integers(0, 4), max_size=12), n_others=st.integers(0, 5))
    def test_a_list_of_one_state_is_the_whole_list_without_the_other_states(
        self, places: list[int], n_others: int
    ) -> None:
        store(places)
        others = DeletionRequest.objects.filter(pk__in=DeletionRequest.objects.order_by("id").values("pk")[:n_others])
        others.update(state=RequestState.ATTENTION)
        ordered = DeletionRequest.objects.order_by(*keyset.NEWEST_FIRST.columns)
        for state in (RequestState.RECEIVED, RequestState.ATTENTION):
            rows = keyset.in_state(DeletionRequest.objects.all(), state)
            expected = [request for request in ordered if request.state == state]
            assert keyset.page(rows, keyset.NEWEST_IN_STATE).rows == expected

    def test_a_row_that_is_gone_still_marks_its_place(self) -> None:
        store([1, 2, 3])
        for order in ORDERS:
            requests = DeletionRequest.objects.all()
            last, middle = requests.order_by(*order.columns)[2], requests.order_by(*order.columns)[1]
            place = keyset.cursor(middle, order)
            requests.filter(pk=middle.pk).update(closed_at=START)
            assert keyset.page(requests.filter(closed_at=None), order, after=place).rows == [last]
            requests.update(closed_at=None)


NO_PLACES = {
    "nothing on both sides": ("_", keyset.NEWEST_FIRST),
    "no id": ("2026-05-01T00:00:00+00:00", keyset.NEWEST_FIRST),
    "no zone": (f"2026-05-01T00:00:00_{SOMEBODY}", keyset.NEWEST_FIRST),
    "no uuid": ("2026-05-01T00:00:00+00:00_7", keyset.NEWEST_FIRST),
    "no time": (f"x_{SOMEBODY}", keyset.NEWEST_FIRST),
    "before the calendar": (f"0001-01-01T00:00:00+23:59_{SOMEBODY}", keyset.NEWEST_FIRST),
    "after the calendar": (f"9999-12-31T23:59:59-23:59_{SOMEBODY}", keyset.NEWEST_FIRST),
    "a time for a date": (f"2026-05-01T00:00:00+00:00_{SOMEBODY}", keyset.DUE_FIRST),
    "no date": (f"2026-02-30_{SOMEBODY}", keyset.DUE_FIRST),
    "a date without an id": ("2026-05-01", keyset.DUE_FIRST),
}


@pytest.mark.parametrize("name", NO_PLACES)
@pytest.mark.parametrize("direction", ["after", "before"])
def test_it_refuses_what_is_no_cursor(direction: str, name: str) -> None:
    text, order = NO_PLACES[name]
    with pytest.raises(keyset.CursorError, match="Expected"):
        keyset.page(DeletionRequest.objects.all(), order, **{direction: text})  # type: ignore[arg-type]
