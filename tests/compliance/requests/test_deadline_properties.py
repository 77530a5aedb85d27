"""Deadlines over years, zones, calendars and laws, against a twin that only walks through the days one by one."""

import json
from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.requests.calendars import Calendar, end_of_day, local_date
from compliance.requests.clock import Clock, Pause
from compliance.requests.deadlines import Deadlines, End, deadlines_of, extend, extension_refusal, reminders
from compliance.requests.regimes import CCPA, GDPR, Regime, Unit

ONE_DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2032, 12, 31)


@dataclass(frozen=True)
class Place:
    """A zone, a calendar, and its days off as the library tells them when asked for all years at once."""

    zone: str
    calendar: Calendar
    days_off: frozenset[date]


def place(zone: str, country: str, subdivision: str | None = None, weekend: tuple[int, ...] = (5, 6)) -> Place:
    known = holidays.country_holidays(country, subdiv=subdivision, years=range(2023, 2036))
    days = (date(2023, 1, 1) + n * ONE_DAY for n in range(12 * 366))
    days_off = frozenset(day for day in days if day in known or day.weekday() in weekend)
    return Place(zone, Calendar(country=country, subdivision=subdivision, weekend=weekend), days_off)


PLACES = {
    "Berlin": place("Europe/Berlin", "DE"),
    "Munich": place("Europe/Berlin", "DE", "BY"),
    "Los Angeles": place("America/Los_Angeles", "US", "CA"),
    "Auckland": place("Pacific/Auckland", "NZ", "AUK"),
    "Kolkata": place("Asia/Kolkata", "IN"),
    "Apia": place("Pacific/Apia", "WS"),
    "Jerusalem": place("Asia/Jerusalem", "IL", weekend=(4, 5)),
}
# Laws that do not exist, for what the two that do leave out: days with pauses and weekends, months without weekends.
DAYS_WITH_PAUSES = replace(CCPA, pauses_count=True, rolls_over=True, extension=7)
MONTHS_WITHOUT_WEEKENDS = replace(GDPR, rolls_over=False, length=2, acknowledgement_business_days=1)
REGIMES = {"gdpr": GDPR, "ccpa": CCPA, "days": DAYS_WITH_PAUSES, "months": MONTHS_WITHOUT_WEEKENDS}


def n_days_of(received: date, unit: Unit, n_units: int) -> int:
    """How many days a period has, found by walking: to the same number in the wanted month, or to that month's end."""
    wanted = received.year * 12 + received.month + n_units
    for n_days in count(1):
        day = received + n_days * ONE_DAY
        is_month = day.year * 12 + day.month == wanted
        is_its_day = day.day == received.day or (day + ONE_DAY).day == 1
        if (is_month and is_its_day) if unit is Unit.CALENDAR_MONTHS else n_days == n_units:
            break
    return n_days


def walk(received: date, n_days: int, days_off: Container[date], suspended: Container[date] = ()) -> date:
    """The day reached by walking until so many days ran that are not suspended, and then on to one that is not off."""
    day, n_run = received, 0
    while n_run < n_days or day in days_off or day in suspended:
        day += ONE_DAY
        n_run += day not in suspended
    return day


def suspended_days(clock: Clock) -> set[date]:
    days: set[date] = set()
    for pause in clock.pauses if clock.regime.pauses_count else ():
        assert pause.until_at is not None
        day, until = (local_date(at, clock.zone) for at in (pause.from_at, pause.until_at))
        while day < until:
            day += ONE_DAY
            days.add(day)
    return days


def twin_of(clock: Clock, where: Place, received: date) -> list[tuple[date, date]]:
    """The first, the extended and the target end, each without and with pauses."""
    regime = clock.regime
    days_off: Container[date] = where.days_off if regime.rolls_over else ()
    first = n_days_of(received, regime.unit, regime.length)
    whole = n_days_of(received, regime.unit, regime.length + regime.extension)
    chained = first + n_days_of(received + first * ONE_DAY, regime.unit, regime.extension)
    suspended = suspended_days(clock)
    return [
        (walk(received, n_days, days_off), walk(received, n_days, days_off, suspended))
        for n_days in (first, whole, min(whole, chained))
    ]


def ends_of(deadlines: Deadlines) -> tuple[End, End, End]:
    return deadlines.first, deadlines.extended, deadlines.extended_target


def clock_in(where: Place, regime: Regime, received_at: datetime, pauses: tuple[Pause, ...] = ()) -> Clock:
    return Clock(regime=regime, calendar=where.calendar, zone=where.zone, received_at=received_at, pauses=pauses)


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Any moment, and often one beside a midnight of the zone."""
    day = draw(st.dates(FIRST_DAY, LAST_DAY))
    midnight = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    beside = st.sampled_from([timedelta(), INSTANT, -INSTANT])
    return midnight + draw(st.one_of(beside, st.timedeltas(timedelta(), ONE_DAY)))


@st.composite
def pauses_after(draw: st.DrawFn, received_at: datetime) -> tuple[Pause, ...]:
    steps = st.timedeltas(timedelta(), timedelta(days=40))
    edges = [received_at]
    for _ in range(2 * draw(st.integers(0, 4))):
        edges.append(edges[-1] + draw(steps))
    return tuple(Pause(from_at=start, until_at=end) for start, end in zip(edges[1::2], edges[2::2], strict=True))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Place, Clock]:
    where = draw(st.sampled_from(list(PLACES.values())))
    received_at = draw(moments(where.zone))
    regime = draw(st.sampled_from(list(REGIMES.values())))
    return where, clock_in(where, regime, received_at, draw(pauses_after(received_at)))


@pytest.mark.parametrize("where", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("regime", [GDPR, CCPA], ids=["gdpr", "ccpa"])
def test_every_day_of_nine_years_ends_where_a_walk_through_the_days_ends(where: Place, regime: Regime) -> None:
    n_days = (LAST_DAY - FIRST_DAY).days + 1
    for day in (FIRST_DAY + n * ONE_DAY for n in range(n_days)):
        # The first and the last moment of the day, by turns: a mistaken offset shows at either.
        at = datetime.combine(day, time.max if day.toordinal() % 2 else time(), ZoneInfo(where.zone))
        deadlines = deadlines_of(clock_in(where, regime, at))
        assert deadlines.received_date == day
        ends = [(end.due_date, end.paused_due_date) for end in ends_of(deadlines)]
        assert ends == twin_of(deadlines.clock, where, day), f"received on {day}"


@given(cases())
def test_pauses_and_other_laws_end_where_a_walk_through_the_days_ends(case: tuple[Place, Clock]) -> None:
    where, clock = case
    deadlines = deadlines_of(clock)
    ends = [(end.due_date, end.paused_due_date) for end in ends_of(deadlines)]
    assert ends == twin_of(clock, where, local_date(clock.received_at, where.zone))
    if clock.regime.acknowledgement_business_days is None:
        assert deadlines.acknowledgement is None
        return
    assert deadlines.acknowledgement is not None
    day, n_days = deadlines.received_date, 0
    while n_days < clock.regime.acknowledgement_business_days:
        day += ONE_DAY
        n_days += day not in where.days_off
    assert deadlines.acknowledgement.due_date == day


@given(cases())
def test_a_period_is_never_too_short_and_moves_to_a_working_day_only_where_the_law_says_so(
    case: tuple[Place, Clock],
) -> None:
    where, clock = case
    for end in ends_of(deadlines_of(clock)):
        assert end.paused_due_date is not None
        assert (end.due_date - local_date(clock.received_at, where.zone)).days >= 28
        assert end.due_date <= end.paused_due_date
        if clock.regime.rolls_over:
            assert not {end.due_date, end.paused_due_date} & where.days_off


@given(cases())
def test_the_earlier_reading_of_an_extension_is_the_target_and_reminds_to_the_day(case: tuple[Place, Clock]) -> None:
    deadlines = deadlines_of(case[1])
    assert deadlines.first.due_date <= deadlines.extended_target.due_date <= deadlines.extended.due_date
    notice_at = deadlines.first.due_at
    assert extension_refusal(deadlines, notice_at) is None and extension_refusal(deadlines, notice_at + INSTANT)
    extended = extend(deadlines, notice_at)
    assert ends_of(extended) == ends_of(deadlines)
    for counted in (deadlines, extended):
        left = [(counted.current.due_date - reminder.date).days for reminder in reminders(counted)]
        assert left == [14, 7, 3, 0, -1]


@given(st.data())
def test_a_later_receipt_never_gives_an_earlier_date(data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(list(PLACES.values())))
    regime = data.draw(st.sampled_from(list(REGIMES.values())))
    earlier = data.draw(moments(where.zone))
    later = earlier + data.draw(st.timedeltas(timedelta(), timedelta(days=7)))
    pauses = data.draw(pauses_after(later))
    before, after = (deadlines_of(clock_in(where, regime, at, pauses)) for at in (earlier, later))
    for old, new in zip(ends_of(before), ends_of(after), strict=True):
        assert old.due_at <= new.due_at
        assert (
            old.paused_due_at is not None and new.paused_due_at is not None and old.paused_due_at <= new.paused_due_at
        )
    if before.acknowledgement is not None and after.acknowledgement is not None:
        assert before.acknowledgement.due_at <= after.acknowledgement.due_at


@given(cases(), st.booleans())
def test_what_is_stored_is_read_back_as_it_was_and_counts_to_the_same(case: tuple[Place, Clock], is_open: bool) -> None:
    clock = case[1]
    if is_open and clock.pauses:
        clock = replace(clock, pauses=(*clock.pauses[:-1], replace(clock.pauses[-1], until_at=None)))
    deadlines = deadlines_of(replace(clock, extension_notice_at=clock.received_at))
    text = json.dumps(deadlines.to_dict())
    read = Deadlines.from_dict(json.loads(text))
    assert read == deadlines and json.dumps(read.to_dict()) == text
    assert deadlines_of(read.clock) == deadlines


# Clocks are set forward at midnight in Beirut, Cairo and Santiago, back over midnight in Nuuk, the Azores and Havana.
# Apia had no 30 December 2011.
ODD_NIGHTS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("America/Los_Angeles", date(2026, 11, 1)),
    ("Pacific/Auckland", date(2026, 4, 5)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Nuuk", date(2026, 10, 25)),
    ("Atlantic/Azores", date(2026, 10, 25)),
    ("America/Havana", date(2026, 11, 1)),
    ("Pacific/Apia", date(2011, 12, 31)),
]


@pytest.mark.parametrize(("zone", "day"), [pytest.param(*night, id=night[0]) for night in ODD_NIGHTS])
def test_a_day_ends_where_the_next_one_begins_also_when_clocks_are_set(zone: str, day: date) -> None:
    days = [day + n * ONE_DAY for n in range(-3, 4)]
    ends = [end_of_day(one, zone) for one in days]
    for one, end in zip(days, ends, strict=True):
        assert local_date(end, zone) <= one < local_date(end + INSTANT, zone)
    for earlier, later in pairwise(ends):
        assert timedelta() <= later - earlier <= timedelta(hours=25)
