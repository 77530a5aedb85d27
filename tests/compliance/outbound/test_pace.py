"""Twelve tries within a day, each later than the one before, and never an end before its time."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.outbound import pace

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
END = NOW + pace.GIVE_UP_AFTER
UNREADABLE = {
    "nothing": "",
    "a word": "soon",
    "a negative number": "-5",
    "a fraction": "1.5",
    "other digits": "１２",
    "a number beyond all time": "9" * 5000,
    "a date beyond all time": "Fri, 99 Dec 99999 99:99:99 GMT",
    "a list": "5, 5",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_wish_that_says_nothing_readable_is_none(name: str) -> None:
    assert pace.retry_after(UNREADABLE[name], NOW) is None


@given(st.text())
def test_no_wish_breaks_the_reader(text: str) -> None:
    wish = pace.retry_after(text, NOW)
    assert wish is None or wish >= timedelta(0)


def test_there_is_no_try_after_the_last_one() -> None:
    assert pace.next_try_at(pace.MAX_TRIES, NOW, END) is None
    assert pace.next_try_at(1, END, END) is None


def test_a_wish_is_read_in_seconds_and_as_a_date() -> None:
    assert pace.retry_after("120", NOW) == timedelta(seconds=120)
    assert pace.retry_after(format_datetime(NOW + timedelta(hours=1), usegmt=True), NOW) == timedelta(hours=1)
    assert pace.retry_after(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) == timedelta(0)


def test_a_wish_beyond_the_end_gets_the_last_try_at_the_end() -> None:
    assert pace.next_try_at(1, NOW, END, timedelta(days=365)) == END


def test_a_short_wish_does_not_hurry() -> None:
    soon = pace.next_try_at(3, NOW, END, timedelta(seconds=1))
    assert soon is not None and soon >= NOW + timedelta(seconds=120)


def test_all_pauses_together_are_within_a_day_and_each_is_longer() -> None:
    at, pauses = NOW, []
    for n_tries in range(1, pace.MAX_TRIES):
        following = pace.next_try_at(n_tries, at, END)
        assert following is not None
        pauses.append(following - at)
        at = following
    assert len(pauses) == 11
    assert pauses == sorted(pauses)
    assert timedelta(hours=16) < at - NOW < pace.GIVE_UP_AFTER


def test_pauses_differ() -> None:
    assert len({pace.next_try_at(5, NOW, END) for _ in range(20)}) > 1
