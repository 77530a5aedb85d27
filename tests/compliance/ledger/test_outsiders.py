"""What is told about a witness, an authority or a storage, and when it may be asked again."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from compliance.ledger import outsiders
from compliance.ledger.models import Outsider

pytestmark = pytest.mark.django_db
NAME = "witness dpo.example of 2026"


def row() -> Outsider:
    return Outsider.objects.get(name=NAME)


def pause() -> float:
    """The seconds until the next try, rounded."""
    next_try_at = row().next_try_at
    return 0 if next_try_at is None else round((next_try_at - datetime.now(tz=UTC)).total_seconds())


def test_who_fails_is_asked_later_and_later_and_at_least_every_five_minutes() -> None:
    assert outsiders.may_be_asked(NAME), "nothing is known yet"
    pauses = []
    for _ in range(10):
        outsiders.failed(NAME, "It gave no answer.")
        assert not outsiders.may_be_asked(NAME)
        pauses.append(pause())
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert row().n_failures == 10


def test_the_pause_ends() -> None:
    outsiders.failed(NAME, "It gave no answer.")
    Outsider.objects.update(next_try_at=datetime.now(tz=UTC))
    assert outsiders.may_be_asked(NAME)


def test_since_when_it_fails_is_the_first_failure_in_a_row() -> None:
    outsiders.failed(NAME, "It gave no answer.")
    since = row().failing_since
    outsiders.failed(NAME, "It gave another one.")
    assert (row().failing_since, row().problem) == (since, "It gave another one.")
    outsiders.succeeded(NAME)
    assert (row().failing_since, row().problem, row().n_failures, pause()) == (None, "", 0, 0)
    assert row().succeeded_at is not None


def test_an_alarm_is_loud_is_repeated_each_minute_and_outlasts_other_failures(caplog: pytest.LogCaptureFixture) -> None:
    outsiders.failed(NAME, "It gave no answer.")
    outsiders.raised_alarm(NAME, "It holds another history.")
    assert pause() == 60
    assert [(record.levelno, "FORK ALARM" in record.message) for record in caplog.records][-1] == (
        logging.CRITICAL,
        True,
    )
    outsiders.failed(NAME, "It gave no answer.")
    assert row().is_alarm and row().problem == "It holds another history."
    outsiders.succeeded(NAME)
    assert not row().is_alarm


def test_success_is_written_down_now_and_then_only() -> None:
    outsiders.succeeded(NAME)
    first = row().succeeded_at
    outsiders.succeeded(NAME)
    assert row().succeeded_at == first
    assert first is not None
    Outsider.objects.update(succeeded_at=first - timedelta(minutes=1))
    outsiders.succeeded(NAME)
    assert row().succeeded_at != first - timedelta(minutes=1)


def test_only_those_that_are_named_are_kept() -> None:
    for name in (NAME, "published log", "witness gone.example of 2025"):
        outsiders.succeeded(name)
    outsiders.keep_only([NAME, "published log"])
    assert set(Outsider.objects.values_list("name", flat=True)) == {NAME, "published log"}
