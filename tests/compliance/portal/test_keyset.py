"""Paging by position against the obvious twin: the whole list, cut into slices."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from compliance.portal import keyset
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

START = datetime(2026, 5, 1, tzinfo=UTC)


def store(minutes: list[int]) -> None:
    """One request received at each of these minutes; the same minute may occur several times."""
    DeletionRequest.objects.bulk_create(
        DeletionRequest(
            state=RequestState.RECEIVED,
            channel="api",
            regulation="gdpr",
            ground="art17_1_b",
            received_at=START + timedelta(minutes=minute),
            changed_at=START,
            token_sha256=f"{number:064x}",
            commitment="0" * 64,
        )
        for number, minute in enumerate(minutes)
    )


class TestPagesAgainstSlices(TestCase):
    """Every example is rolled back, which only this class of Hypothesis does."""

    @settings(max_examples=40, deadline=None)
    @given(minutes=st.lists(st.integers(0, 4), max_size=17), n_rows=st.integers(1, 5))
    def test_older_and_newer_pages_are_the_slices_of_the_list(self, minutes: list[int], n_rows: int) -> None:
        store(minutes)
        requests = DeletionRequest.objects.order_by("-received_at", "id")
        slices = [list(requests[at : at + n_rows]) for at in range(0, len(minutes), n_rows)] or [[]]
        page = keyset.page(requests, n_rows=n_rows)
        forward = [page]
        while page.older_than:
            page = keyset.page(requests, older_than=page.older_than, n_rows=n_rows)
            forward.append(page)
            assert len(forward) <= len(slices), "the pages go round in a circle"
        assert [page.rows for page in forward] == slices
        backward = [page]
        while page.newer_than:
            page = keyset.page(requests, newer_than=page.newer_than, n_rows=n_rows)
            backward.append(page)
            assert len(backward) <= len(slices), "the pages go round in a circle"
        assert [page.rows for page in backward[1:]] == slices[:-1][::-1]
        assert page.newer_than is None

    def test_a_row_that_is_gone_still_marks_its_place(self) -> None:
        store([1, 2, 3])
        requests = DeletionRequest.objects.order_by("-received_at", "id")
        oldest, middle = requests[2], requests[1]
        place = keyset.cursor(middle)
        middle.delete()
        assert keyset.page(requests, older_than=place).rows == [oldest]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("_", id="nothing on both sides"),
        pytest.param("2026-05-01T00:00:00+00:00", id="no id"),
        pytest.param("2026-05-01T00:00:00_00000000-0000-4000-8000-000000000001", id="no zone"),
        pytest.param("2026-05-01T00:00:00+00:00_7", id="no uuid"),
        pytest.param("x_00000000-0000-4000-8000-000000000001", id="no time"),
        pytest.param("0001-01-01T00:00:00+23:59_00000000-0000-4000-8000-000000000001", id="before the calendar"),
        pytest.param("9999-12-31T23:59:59-23:59_00000000-0000-4000-8000-000000000001", id="after the calendar"),
    ],
)
@pytest.mark.parametrize("direction", ["older_than", "newer_than"])
def test_it_refuses_what_is_no_cursor(direction: str, text: str) -> None:
    with pytest.raises(keyset.CursorError, match="Expected"):
        keyset.page(DeletionRequest.objects.all(), **{direction: text})  # type: ignore[arg-type]
