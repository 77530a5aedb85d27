"""How values are spelt on pages."""

import inspect
import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from compliance.evidence import leaf
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
    assert portal.day(date(2026, 5, 1)) == portal.day(at)
    assert (portal.moment(None), portal.day(None)) == ("–", "–")


@pytest.mark.parametrize(
    ("n_days", "words", "tone"),
    [
        pytest.param(8, "8 days left", "waiting", id="far"),
        pytest.param(7, "7 days left", "person", id="a week"),
        pytest.param(1, "1 day left", "person", id="tomorrow"),
        pytest.param(0, "due today", "person", id="today"),
        pytest.param(-1, "overdue by 1 day", "alarm", id="yesterday"),
        pytest.param(-12, "overdue by 12 days", "alarm", id="long ago"),
    ],
)
def test_the_days_to_a_date_are_told_with_their_tone(n_days: int, words: str, tone: str) -> None:
    assert (portal.days_left(n_days), portal.urgency(n_days)) == (words, tone)
    assert portal.days_until(date(2026, 5, 1) + timedelta(days=n_days), date(2026, 5, 1)) == n_days


def test_a_language_is_named_and_an_unknown_one_keeps_its_code() -> None:
    assert [portal.language(code) for code in ("de", "en", "xx")] == ["German", "English", "xx"]


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


def test_the_same_code_means_what_its_fact_is_about() -> None:
    other = "01234567-0000-4000-8000-000000000001"
    linked = entry("request.linked", linked=other, reason="complaint")
    assert portal.facts(linked)[1] == ("reason", "The person says that a model still knows them")
    unveiled = entry("request.unveiled", reason="complaint")
    assert portal.facts(unveiled) == [("reason", "A complaint, or a question of the authority")]


def test_no_word_of_a_closed_list_is_told_in_another_ones_words() -> None:
    for kind, words in portal.WORDS.items():
        assert set(words) <= leaf.WORDS[kind], kind
    assert set(narrative.IDENTITY_METHODS) == leaf.WORDS["identity method"]
    assert set(narrative.NOTICES) == leaf.WORDS["notice"]


def test_an_event_without_a_name_shows_its_code() -> None:
    assert portal.event_name("request.received") == "Request received"
    assert portal.event_name("request.novel") == "request.novel"


def test_every_reason_for_which_a_plan_needs_attention_is_told_in_a_sentence() -> None:
    source = inspect.getsource(planning)
    reasons = set(re.findall(r'_raise_attention\(request, actor, "([a-z_]+)"\)', source))
    assert len(reasons) > 3
    assert reasons <= set(narrative.REASONS)
