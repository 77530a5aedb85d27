"""Deadlines against the table of worked examples; what is refused; what people are shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from compliance.requests import calendars
from compliance.requests.calendars import Calendar
from compliance.requests.clock import Clock, Pause
from compliance.requests.deadlines import Deadlines, deadlines_of, extend, extension_refusal, reminders
from compliance.requests.errors import InvalidInputError, StateError
from compliance.requests.regimes import CCPA, GDPR, REGIMES, Regime, regime_named

INSTANT = timedelta(microseconds=1)
DE, US_CA = Calendar(country="DE"), Calendar(country="US", subdivision="CA")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock_at(text: str, *pauses: tuple[str, str | None], regime: Regime = GDPR) -> Clock:
    zone, calendar = ("America/Los_Angeles", US_CA) if regime is CCPA else ("Europe/Berlin", DE)
    return Clock(
        regime=regime,
        calendar=calendar,
        zone=zone,
        received_at=at(text),
        pauses=tuple(Pause(from_at=at(start), until_at=at(end) if end else None) for start, end in pauses),
    )


def document_with(**changes: Any) -> dict[str, Any]:
    return {**deadlines_of(clock_at("2026-03-05T12:00")).to_dict(), **changes}


def clock_document_with(**changes: Any) -> dict[str, Any]:
    return document_with(clock={**clock_at("2026-03-05T12:00").to_dict(), **changes})


NOON = "2026-03-05T12:00"
REFUSED_INPUT: dict[str, tuple[Callable[[], object], str]] = {
    "naive receipt": (lambda: replace(clock_at(NOON), received_at=datetime(2026, 3, 5)), "received_at: expected a"),  # noqa: DTZ001
    "receipt before our era": (
        lambda: replace(clock_at(NOON), received_at=datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo"))),
        "our era",
    ),
    "receipt after our era": (lambda: replace(clock_at(NOON), received_at=datetime.max.replace(tzinfo=UTC)), "our era"),
    "unknown zone": (lambda: replace(clock_at(NOON), zone="Europe/Atlantis"), "zone: expected"),
    "zone of the machine": (lambda: replace(clock_at(NOON), zone="localtime"), "zone: expected"),
    "zone as a path": (lambda: replace(clock_at(NOON), zone="../zoneinfo/UTC"), "zone: expected"),
    "unknown country": (lambda: Calendar(country="XX"), "calendar.country"),
    "country by an alias": (lambda: Calendar(country="DEU"), "calendar.country"),
    "unknown subdivision": (lambda: Calendar(country="DE", subdivision="CA"), "BE, BW, BY"),
    "country without subdivisions": (lambda: Calendar(country="WS", subdivision="AA"), "has none"),
    "weekend of seven days": (lambda: Calendar(country="DE", weekend=tuple(range(7))), "at most six"),
    "weekend out of order": (lambda: Calendar(country="DE", weekend=(6, 5)), "rising order"),
    "eighth weekday": (lambda: Calendar(country="DE", weekend=(7,)), "rising order"),
    "year without calendar": (lambda: clock_at("2101-01-01T12:00"), "from 1991 to 2100"),
    "pause in such a year": (lambda: clock_at(NOON, ("2026-03-06", "2101-01-02")), "from 1991 to 2100"),
    "due date in such a year": (lambda: deadlines_of(clock_at("2100-12-15T12:00")), "from 1991 to 2100"),
    "naive pause": (lambda: Pause(from_at=datetime(2026, 3, 6)), "pause.from_at: expected a time with"),  # noqa: DTZ001
    "naive end of a pause": (lambda: Pause(from_at=at(NOON), until_at=datetime(2027, 3, 6)), "pause.until_at"),  # noqa: DTZ001
    "pause that ends first": (lambda: clock_at(NOON, ("2026-03-09", "2026-03-08")), "pause.until_at: expected"),
    "pause before receipt": (lambda: clock_at(NOON, ("2026-03-05T11:59", None)), "begin after receipt"),
    "overlapping pauses": (lambda: clock_at(NOON, ("2026-03-09", "2026-03-12"), ("2026-03-11", None)), "overlap"),
    "pause in an open pause": (lambda: clock_at(NOON, ("2026-03-09", None), ("2026-03-11", "2026-03-12")), "open"),
    "pauses of another law": (lambda: clock_at(NOON, ("2026-03-04", None), regime=CCPA), "begin after receipt"),
    "notice before receipt": (
        lambda: deadlines_of(replace(clock_at(NOON), extension_notice_at=at("2026-03-05T11:59"))),
        "extension_notice_at: Expected a notice sent after receipt",
    ),
    "notice too late": (
        lambda: deadlines_of(replace(clock_at(NOON), extension_notice_at=at("2026-04-07T22:00"))),
        "extension_notice_at: Expected a notice sent by the end of 2026-04-07",
    ),
    "unknown regime": (lambda: regime_named("uk"), "gdpr, ccpa"),
    "no period": (lambda: replace(GDPR, length=0), "regime.length"),
    "endless period": (lambda: replace(GDPR, length=25), "regime.length: expected a whole number from 1 to 24"),
    "negative extension": (lambda: replace(GDPR, extension=-1), "regime.extension"),
    "acknowledgement at once": (lambda: replace(CCPA, acknowledgement_business_days=0), "regime.acknowledgement"),
    "naive now": (lambda: deadlines_of(clock_at(NOON)).days_left(datetime(2026, 3, 5)), "expected a time with"),  # noqa: DTZ001
    "naive notice": (lambda: extension_refusal(deadlines_of(clock_at(NOON)), datetime(2026, 3, 5)), "notice_at"),  # noqa: DTZ001
}
REFUSED_DOCUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "exactly the members"),
    "unknown member": (document_with(more=1), "exactly the members"),
    "day that is none": (document_with(received_date="2026-02-30"), "date: expected"),
    "number for a day": (document_with(received_date=20260305), "date: expected"),
    "end that is none": (document_with(first=None), "End: expected"),
    "reasons that are none": (document_with(because="so"), "because"),
    "naive time": (clock_document_with(received_at="2026-03-05T12:00:00"), "time with a zone"),
    "number for a time": (clock_document_with(received_at=5), "time: expected"),
    "list for a zone": (clock_document_with(zone=[]), "zone: expected"),
    "text for pauses": (clock_document_with(pauses="none"), "clock.pauses"),
    "unknown unit": (clock_document_with(regime={**GDPR.to_dict(), "unit": "weeks"}), "regime.unit"),
    "true for a length": (clock_document_with(regime={**GDPR.to_dict(), "length": True}), "regime.length"),
    "number for a flag": (clock_document_with(regime={**GDPR.to_dict(), "rolls_over": 1}), "expected a bool"),
    "list for a country": (clock_document_with(calendar={**DE.to_dict(), "country": []}), "calendar.country"),
    "text for a weekend": (clock_document_with(calendar={**DE.to_dict(), "weekend": "56"}), "calendar.weekend"),
    "true for a weekday": (clock_document_with(calendar={**DE.to_dict(), "weekend": [True]}), "calendar.weekend"),
}


@pytest.mark.parametrize(("act", "words"), REFUSED_INPUT.values(), ids=REFUSED_INPUT.keys())
def test_it_refuses_input_that_cannot_be(act: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        act()


@pytest.mark.parametrize(("document", "words"), REFUSED_DOCUMENTS.values(), ids=REFUSED_DOCUMENTS.keys())
def test_it_refuses_a_document_that_it_did_not_write(document: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        Deadlines.from_dict(document)


def test_it_refuses_an_extension_after_the_first_due_date_and_a_second_one() -> None:
    deadlines = deadlines_of(clock_at("2026-01-31T12:00", ("2026-02-02", "2026-02-20")))
    last_moment = at("2026-03-02T22:59:59.999999")
    assert deadlines.first.due_at == last_moment
    with pytest.raises(StateError, match="by the end of 2026-03-02 in Europe/Berlin"):
        extend(deadlines, last_moment + INSTANT)
    extended = extend(deadlines, last_moment)
    assert (deadlines.current.due_date, extended.current.due_date) == (date(2026, 3, 2), date(2026, 4, 28))
    with pytest.raises(StateError, match="extended once"):
        extend(extended, last_moment)
    never = deadlines_of(replace(clock_at(NOON), regime=replace(GDPR, extension=0)))
    assert extension_refusal(never, at(NOON)) == "The period of gdpr cannot be extended."


# Receipt in UTC → day of receipt, due, extended, target. Germany's holidays, Europe/Berlin.
GDPR_VECTORS = {
    "short month, then Saturday": ("2026-01-31T12:00", "2026-01-31", "2026-03-02", "2026-04-30", "2026-04-28"),
    "Easter Sunday and Monday": ("2026-03-05T12:00", "2026-03-05", "2026-04-07", "2026-06-05", "2026-06-05"),
    "month end": ("2026-08-31T12:00", "2026-08-31", "2026-09-30", "2026-11-30", "2026-11-30"),
    "Christmas and a weekend": ("2026-11-25T12:00", "2026-11-25", "2026-12-28", "2027-02-25", "2027-02-25"),
    "30 November + 3 months": ("2026-11-30T12:00", "2026-11-30", "2026-12-30", "2027-03-01", "2027-03-01"),
    "already 1 April in Berlin": ("2026-03-31T22:30", "2026-04-01", "2026-05-04", "2026-07-01", "2026-07-01"),
    "still 31 March in Berlin": ("2026-03-31T21:59", "2026-03-31", "2026-04-30", "2026-06-30", "2026-06-30"),
    "leap day": ("2028-02-29T12:00", "2028-02-29", "2028-03-29", "2028-05-29", "2028-05-29"),
}


@pytest.mark.parametrize("vector", GDPR_VECTORS.values(), ids=GDPR_VECTORS.keys())
def test_months_end_as_in_the_worked_examples(vector: tuple[str, str, str, str, str]) -> None:
    deadlines = deadlines_of(clock_at(vector[0]))
    ends = (deadlines.first, deadlines.extended, deadlines.extended_target)
    assert [deadlines.received_date, *(end.due_date for end in ends)] == [date.fromisoformat(day) for day in vector[1:]]
    assert deadlines.acknowledgement is None


def test_california_counts_business_days_to_confirm_and_calendar_days_to_respond() -> None:
    deadlines = deadlines_of(clock_at("2026-01-02T20:00", ("2026-01-05", None), regime=CCPA))
    ends = [deadlines.acknowledgement, deadlines.first, deadlines.extended, deadlines.extended_target]
    days = [date(2026, 1, 16), date(2026, 2, 16), date(2026, 4, 2), date(2026, 4, 2)]
    assert [end and end.due_date for end in ends] == days
    assert [end and end.paused_due_date for end in ends] == days, "an open pause stops nothing"
    assert deadlines.first.due_at == at("2026-02-17T07:59:59.999999")
    assert "2026-02-16 is a public holiday (Presidents' Day) and stays the last day" in " ".join(deadlines.because)
    assert "Waiting for the person does not stop this clock" in " ".join(deadlines.because)


# Pauses of a request of 31 January 2026 → due and extended if they count. Nominal ends: 28 February, a Saturday, which
# moves to Monday 2 March; 30 April, a Thursday before a holiday and a weekend.
PAUSED: dict[str, tuple[list[tuple[str, str | None]], str | None, str | None]] = {
    "none": ([], "2026-03-02", "2026-04-30"),
    "within a day": ([("2026-02-03T08:00", "2026-02-03T20:00")], "2026-03-02", "2026-04-30"),
    "over a local midnight": ([("2026-02-03T22:30", "2026-02-03T23:30")], "2026-03-02", "2026-05-04"),
    "six days": ([("2026-02-03", "2026-02-09")], "2026-03-06", "2026-05-06"),
    "two, given in no order": (
        [("2026-02-09", "2026-02-12"), ("2026-02-03", "2026-02-06")],
        "2026-03-06",
        "2026-05-06",
    ),
    "begun on the nominal end": ([("2026-02-28", "2026-03-04")], "2026-03-05", "2026-05-04"),
    "begun on the last day": ([("2026-03-02", "2026-03-04")], "2026-03-02", "2026-05-04"),
    "still open": ([("2026-02-03", None)], None, None),
    "open after the first period": ([("2026-03-02", None)], "2026-03-02", None),
    "open after both": ([("2026-04-30", None)], "2026-03-02", "2026-04-30"),
}


@pytest.mark.parametrize(("pauses", "due", "extended"), PAUSED.values(), ids=PAUSED.keys())
def test_pauses_are_shown_and_move_no_alarm(
    pauses: list[tuple[str, str | None]], due: str | None, extended: str | None
) -> None:
    deadlines = deadlines_of(clock_at("2026-01-31T12:00", *pauses))
    paused = (deadlines.first.paused_due_date, deadlines.extended.paused_due_date)
    assert paused == tuple(day and date.fromisoformat(day) for day in (due, extended))
    for end in (deadlines.first, deadlines.extended, deadlines.extended_target):
        assert (end.paused_due_date is None) == (end.paused_due_at is None)
    assert (deadlines.first.due_date, deadlines.extended.due_date) == (date(2026, 3, 2), date(2026, 4, 30))
    assert reminders(deadlines) == reminders(deadlines_of(clock_at("2026-01-31T12:00")))
    assert deadlines.days_left(at("2026-02-27T12:00")) == 3


def test_reminders_go_by_the_first_due_date_until_an_extension_and_then_by_its_target() -> None:
    deadlines = deadlines_of(clock_at("2026-01-31T12:00"))
    kinds = ["due_in_14_days", "due_in_7_days", "due_in_3_days", "due_today", "overdue"]
    first = ["2026-02-16", "2026-02-23", "2026-02-27", "2026-03-02", "2026-03-03"]
    assert [(str(reminder.date), reminder.kind) for reminder in reminders(deadlines)] == list(
        zip(first, kinds, strict=True)
    )
    target = ["2026-04-14", "2026-04-21", "2026-04-25", "2026-04-28", "2026-04-29"]
    assert [str(reminder.date) for reminder in reminders(extend(deadlines, at("2026-02-10")))] == target


def test_a_short_period_reminds_of_nothing_before_its_receipt() -> None:
    short = deadlines_of(replace(clock_at("2026-01-02T20:00", regime=CCPA), regime=replace(CCPA, length=7)))
    assert [reminder.kind for reminder in reminders(short)] == ["due_in_3_days", "due_today", "overdue"]


@pytest.mark.parametrize(
    ("now", "n_days"),
    [
        pytest.param("2026-01-31T12:00", 30, id="on receipt"),
        pytest.param("2026-03-01T22:59:59", 1, id="the day before in Berlin"),
        pytest.param("2026-03-01T23:00", 0, id="the first moment of the last day"),
        pytest.param("2026-03-02T22:59:59.999999", 0, id="the last moment of the last day"),
        pytest.param("2026-03-02T23:00", -1, id="overdue"),
        pytest.param("2026-04-02T12:00", -31, id="long overdue"),
    ],
)
def test_days_left_are_days_of_the_controller_and_negative_when_overdue(now: str, n_days: int) -> None:
    deadlines = deadlines_of(clock_at("2026-01-31T12:00"))
    assert deadlines.days_left(at(now)) == n_days
    assert (n_days < 0) == (at(now) > deadlines.first.due_at)


def test_the_reasons_can_be_followed_with_a_calendar_in_hand() -> None:
    clock = clock_at("2026-03-31T22:30", ("2026-04-10", "2026-04-11"), ("2026-05-10", None))
    assert deadlines_of(replace(clock, extension_notice_at=at("2026-04-20T09:15"))).because == (
        "Received at 2026-03-31 22:30 UTC, on 2026-04-01 in Europe/Berlin. "
        "That day is not counted (Regulation 1182/71 Art. 3(1)).",
        "1 month after receipt ends on 2026-05-01 (GDPR Art. 12(3), Regulation 1182/71 Art. 3(2)(c)).",
        "2026-05-01 is a public holiday (Labor Day).",
        "2026-05-02 is a Saturday.",
        "2026-05-03 is a Sunday.",
        "The next working day is 2026-05-04 (Regulation 1182/71 Art. 3(4)).",
        "Extended once, it is 3 months and ends on 2026-07-01 (GDPR Art. 12(3), Regulation 1182/71 Art. 3(2)(c)).",
        "The person was told of the extension at 2026-04-20 09:15 UTC.",
        "The clock stood still from 2026-04-10 to 2026-04-11, for 1 day.",
        "The clock has stood still since 2026-05-10.",
        "With pauses, the first period ends on 2026-05-04.",
        "With pauses, the extended one ends when the open pause is over.",
        "Alarms go by the dates without pauses; the others hold if the suspension is accepted "
        "(EDPB Guidelines 01/2022).",
        f"Working days are those of DE ({calendars.HOLIDAYS_SOURCE}).",
    )


def test_a_shorter_reading_of_the_extension_and_the_source_of_a_confirmation_are_told() -> None:
    chained = " ".join(deadlines_of(clock_at("2026-01-31T12:00")).because)
    assert "Counted as 2 months from 2026-02-28 it ends on 2026-04-28, which is earlier" in chained
    assert "told, with the reasons, by the end of 2026-03-02." in chained
    california = deadlines_of(clock_at("2026-01-02T20:00", regime=CCPA)).because
    assert "Receipt is confirmed by 2026-01-16, 10 business days after it (CCPA regulations §7021(a))." in california
    assert california[-1] == f"Working days are those of US-CA ({calendars.HOLIDAYS_SOURCE})."


def test_the_names_of_holidays_do_not_follow_the_language_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de_DE")
    calendars._holidays_of.cache_clear()
    assert DE.reason_off(date(2026, 4, 6)) == "a public holiday (Easter Monday)"


def test_every_regime_is_found_by_its_name() -> None:
    assert {name: regime_named(name) for name in REGIMES} == {"gdpr": GDPR, "ccpa": CCPA}
