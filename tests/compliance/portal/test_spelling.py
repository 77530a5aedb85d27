"""How values are spelt on pages."""

import inspect
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from compliance.portal import narrative
from compliance.portal.templatetags import portal
from compliance.requests.actions import plan as planning
from compliance.requests.queries import TimelineEntry


@pytest.mark.parametrize(
    ("span", "text"),
    [
        pytest.param(timedelta(seconds=-3), "under a minute", id="a clock that ran ahead"),
        pytest.param(timedelta(0), "under a minute", id="nothing"),
        pytest.param(timedelta(seconds=59), "under a minute", id="seconds"),
        pytest.param(timedelta(minutes=1), "1 minute", id="one minute"),
        pytest.param(timedelta(minutes=59, seconds=59), "59 minutes", id="minutes"),
        pytest.param(timedelta(hours=1, minutes=59), "1 hour", id="one hour"),
        pytest.param(timedelta(hours=23, minutes=59), "23 hours", id="hours"),
        pytest.param(timedelta(days=1), "1 day", id="one day"),
        pytest.param(timedelta(days=31, hours=23), "31 days", id="days"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(span: timedelta, text: str) -> None:
    assert portal.duration(span) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "–", id="none"),
        pytest.param(0, "0", id="zero"),
        pytest.param(0.0, "0", id="zero as a fraction"),
        pytest.param(0.123456, "0.1235", id="fraction"),
        pytest.param(1.5e-9, "1.5e-09", id="tiny"),
        pytest.param(123456, "123456", id="count"),
        pytest.param("12345678901234567890", "12345678901234567890", id="a whole number beyond 2**53"),
    ],
)
def test_a_number_keeps_four_digits_of_a_fraction(value: float | str | None, text: str) -> None:
    assert portal.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.95, "95 %"), (0.425, "42.5 %"), (0, "0 %"), (1.0, "100 %")]
)
def test_a_share_is_a_percentage(value: float | None, text: str) -> None:
    assert portal.percent(value) == text


def test_ids_and_digests_are_shortened() -> None:
    assert portal.prefix(uuid.UUID("01234567-0000-4000-8000-000000000001")) == "01234567"
    assert portal.short("a" * 64) == "a" * 12 + "…"
    assert portal.short("a" * 12) == "a" * 12


def test_counts_stand_in_one_line() -> None:
    assert portal.pairs({"forget": 20, "never_trained": 5}) == "forget 20, never trained 5"
    assert portal.pairs({}) == "–"


def test_times_are_for_people_and_machines() -> None:
    at = datetime(2026, 5, 1, 9, 5, tzinfo=UTC)
    assert portal.moment(at) == '<time datetime="2026-05-01T09:05:00+00:00">1 May 2026, 09:05</time>'
    assert portal.day(at) == '<time datetime="2026-05-01">1 May 2026</time>'
    assert (portal.moment(None), portal.day(None)) == ("–", "–")


def entry(event_type: str, **facts: object) -> TimelineEntry:
    return TimelineEntry(
        index=1,
        event_type=event_type,
        kind="event",
        leaf_sha256="0" * 64,
        recorded_at=datetime(2026, 5, 1, tzinfo=UTC),
        actor_role="system",
        actor_id="",
        facts=facts,
    )


def test_facts_stand_in_the_order_of_the_allow_list_and_in_words() -> None:
    job = "01234567-0000-4000-8000-000000000001"
    planned = entry("request.planned", jobs=[job, job], policy_sha256="b" * 64)
    assert portal.facts(planned) == [("policy", "b" * 12 + "…"), ("jobs", "01234567, 01234567")]
    approved = entry("request.approved", n_targets=2, scope_commitment="c" * 64, ground="art17_1_d")
    assert portal.facts(approved) == [
        ("ground", "17(1)(d): unlawful processing"),
        ("scope commitment", "c" * 12 + "…"),
        ("number of targets", "2"),
    ]
    assert portal.facts(entry("request.completed", evidence=[], versions=[])) == [
        ("evidence", "none"),
        ("versions", "none"),
    ]


def test_an_event_without_a_name_shows_its_code() -> None:
    assert portal.event_name("request.received") == "Request received"
    assert portal.event_name("request.novel") == "request.novel"


def test_every_reason_for_which_a_plan_needs_attention_is_told_in_a_sentence() -> None:
    source = inspect.getsource(planning)
    reasons = set(re.findall(r'_raise_attention\(request, actor, "([a-z_]+)"\)', source))
    assert len(reasons) > 3
    assert reasons <= set(narrative.REASONS)
