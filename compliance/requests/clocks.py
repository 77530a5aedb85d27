"""The clock of one request as its rows tell it: when it began, what it waits for, whether it was extended.

The dates are counted by deadlines.py, and stored with everything they were counted from. Callers hold the request's row
locked; each function writes the row of the pause, if any, and the two columns of the request.
"""

from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from compliance.requests.calendars import Calendar, in_utc, local_date
from compliance.requests.clock import Clock
from compliance.requests.clock import Pause as PauseOfClock
from compliance.requests.deadline_reasons import receipt_of
from compliance.requests.deadlines import Deadlines, deadlines_of
from compliance.requests.models import DeletionRequest, Pause, PauseReason
from compliance.requests.regimes import Regime, regime_named


def begin(request: DeletionRequest) -> None:
    """Count the dates of a request that is not stored yet, from its receipt; raises InvalidInputError."""
    regime, zone = regime_named(request.regulation), settings.TIME_ZONE
    received_at = in_utc(request.received_at, "received_at")
    day = local_date(received_at, zone)
    stored, due_date = _of_the_day(regime, calendar(), zone, day)
    request.deadlines = {
        **stored,
        "clock": {**stored["clock"], "received_at": received_at.isoformat()},
        "because": [receipt_of(regime, received_at, day, zone), *stored["because"][1:]],
    }
    request.due_date = due_date


@lru_cache(maxsize=64)
def _of_the_day(regime: Regime, place: Calendar, zone: str, day: date) -> tuple[dict[str, Any], date]:
    """Deadlines in their stored form, and the due date, of what is received on this day: the law counts in days."""
    at_noon = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone))
    counted = deadlines_of(Clock(regime=regime, calendar=place, zone=zone, received_at=at_noon))
    return counted.to_dict(), counted.current.due_date


def calendar() -> Calendar:
    """The working days of the controller's place, as configured; raises InvalidInputError."""
    country, _, subdivision = settings.HOLIDAYS.partition("-")
    return Calendar(country=country, subdivision=subdivision or None)


def deadlines(request: DeletionRequest) -> Deadlines:
    """The dates as they were last counted."""
    return Deadlines.from_dict(request.deadlines)


def pause(request: DeletionRequest, reason: PauseReason, at: datetime) -> None:
    """From now on the controller waits for the person. An open pause goes on: one is open at a time."""
    if not request.pauses.filter(until_at=None).exists():
        Pause.objects.create(request=request, reason=reason, from_at=at)
        _recount(request)


def resume(request: DeletionRequest, at: datetime) -> None:
    """The person answered; nothing happens where nothing was waited for."""
    if request.pauses.filter(until_at=None).update(until_at=at):
        _recount(request)


def extend(request: DeletionRequest, notice_at: datetime) -> None:
    """The notice of the extension went out; raises InvalidInputError where it came after the first period."""
    _recount(request, notice_at)


def _recount(request: DeletionRequest, notice_at: datetime | None = None) -> None:
    stored = deadlines(request).clock
    counted = deadlines_of(
        Clock(
            regime=stored.regime,
            calendar=stored.calendar,
            zone=stored.zone,
            received_at=stored.received_at,
            pauses=tuple(PauseOfClock(from_at=row.from_at, until_at=row.until_at) for row in request.pauses.all()),
            extension_notice_at=notice_at or stored.extension_notice_at,
        )
    )
    _set(request, counted)
    DeletionRequest.objects.filter(pk=request.pk).update(deadlines=request.deadlines, due_date=request.due_date)


def _set(request: DeletionRequest, counted: Deadlines) -> None:
    request.deadlines = counted.to_dict()
    request.due_date = counted.current.due_date
