"""By when a request must be answered, counted as the law counts, with the reasons in words.

Everything here is a pure function of a `Clock`.

Pauses are shown, not relied upon. Practice accepts that the clock stands still while the controller waits to learn
whose data it is, but whether it did in one case is for an authority to say. Each end is therefore given in both
readings, and alarms go by the one without pauses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from compliance.requests.calendars import (
    ONE_DAY,
    date_from,
    end_of_day,
    in_utc,
    local_date,
    members_of,
    time_from,
    time_or_none,
)
from compliance.requests.clock import Clock
from compliance.requests.deadline_reasons import reasons_for
from compliance.requests.errors import InvalidInputError, StateError


@dataclass(frozen=True, kw_only=True)
class End:
    """The last day of a period in the controller's zone and its last moment in UTC, in both readings.

    The reading with pauses has no date while a pause is open that began before the period ended.
    """

    due_date: date
    due_at: datetime
    paused_due_date: date | None
    paused_due_at: datetime | None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """An end from its JSON form; raises InvalidInputError."""
        members = members_of(cls, document)
        paused_due_date = members["paused_due_date"]
        return cls(
            due_date=date_from(members["due_date"]),
            due_at=time_from(members["due_at"]),
            paused_due_date=None if paused_due_date is None else date_from(paused_due_date),
            paused_due_at=time_or_none(members["paused_due_at"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "due_date": self.due_date.isoformat(),
            "due_at": self.due_at.isoformat(),
            "paused_due_date": self.paused_due_date and self.paused_due_date.isoformat(),
            "paused_due_at": self.paused_due_at and self.paused_due_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """What was counted from a clock.

    `first` is the end of the first period; `extended` that of the extended one, counted from receipt. Some read the
    extension as running from the end of the first period. `extended_target` is the earlier of the two readings, and is
    what is aimed at. `acknowledgement` is None where the law asks for none. `because` tells how each was found.
    """

    clock: Clock
    received_date: date
    first: End
    extended: End
    extended_target: End
    acknowledgement: End | None
    because: tuple[str, ...]

    @property
    def current(self) -> End:
        """The end that alarms go by: the first one, or the extended target once the person was told of an extension."""
        return self.first if self.clock.extension_notice_at is None else self.extended_target

    def days_left(self, now: datetime) -> int:
        """Days until the current end in the controller's zone, without pauses: 0 on the last day, less when overdue.

        Raises InvalidInputError for a naive time.
        """
        return (self.current.due_date - local_date(now, self.clock.zone)).days

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Deadlines as they were stored, not counted anew; raises InvalidInputError."""
        members = members_of(cls, document)
        because, acknowledgement = members["because"], members["acknowledgement"]
        if not isinstance(because, list) or not all(isinstance(reason, str) for reason in because):
            raise InvalidInputError("deadlines.because: expected a list of sentences, found something else.")
        return cls(
            clock=Clock.from_dict(members["clock"]),
            received_date=date_from(members["received_date"]),
            first=End.from_dict(members["first"]),
            extended=End.from_dict(members["extended"]),
            extended_target=End.from_dict(members["extended_target"]),
            acknowledgement=None if acknowledgement is None else End.from_dict(acknowledgement),
            because=tuple(because),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with the rule and everything that was put in."""
        return {
            "clock": self.clock.to_dict(),
            "received_date": self.received_date.isoformat(),
            "first": self.first.to_dict(),
            "extended": self.extended.to_dict(),
            "extended_target": self.extended_target.to_dict(),
            "acknowledgement": self.acknowledgement and self.acknowledgement.to_dict(),
            "because": list(self.because),
        }


class ReminderKind(StrEnum):
    """Why somebody is reminded."""

    DUE_IN_14_DAYS = "due_in_14_days"
    DUE_IN_7_DAYS = "due_in_7_days"
    DUE_IN_3_DAYS = "due_in_3_days"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"


_REMIND_DAYS_BEFORE = {
    14: ReminderKind.DUE_IN_14_DAYS,
    7: ReminderKind.DUE_IN_7_DAYS,
    3: ReminderKind.DUE_IN_3_DAYS,
    0: ReminderKind.DUE_TODAY,
}


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """A day in the controller's zone on which somebody is reminded."""

    date: date
    kind: ReminderKind


def deadlines_of(clock: Clock) -> Deadlines:
    """Counts everything from a clock.

    Raises InvalidInputError where its notice of an extension came too early or too late, and where an end falls into a
    year that its calendar does not cover.
    """
    first = _end_of(clock, clock.nominal_end)
    if clock.extension_notice_at is not None:
        refusal = _notice_refusal(clock, first, clock.extension_notice_at)
        if refusal is not None:
            raise InvalidInputError(f"extension_notice_at: {refusal}")
    return Deadlines(
        clock=clock,
        received_date=clock.received_date,
        first=first,
        extended=_end_of(clock, clock.nominal_extended_end),
        extended_target=_end_of(clock, min(clock.nominal_extended_end, clock.nominal_chained_end)),
        acknowledgement=_acknowledgement_of(clock),
        because=reasons_for(clock),
    )


def extension_refusal(deadlines: Deadlines, notice_at: datetime) -> str | None:
    """Why no extension can be made with a notice sent at this time, in words; None where one can.

    Once, and by a notice that the person was sent within the first period. That period is taken without pauses, so
    that an extension stands whatever becomes of them. Raises InvalidInputError for a naive time.
    """
    if deadlines.clock.extension_notice_at is not None:
        return "A period is extended once, and this one was."
    return _notice_refusal(deadlines.clock, deadlines.first, in_utc(notice_at, "notice_at"))


def extend(deadlines: Deadlines, notice_at: datetime) -> Deadlines:
    """The deadlines after an extension of which the person was told at this time; raises StateError if refused."""
    refusal = extension_refusal(deadlines, notice_at)
    if refusal is not None:
        raise StateError(refusal)
    return deadlines_of(replace(deadlines.clock, extension_notice_at=notice_at))


def reminders(deadlines: Deadlines) -> tuple[Reminder, ...]:
    """When to remind of the current end, in order: days before it that lie after receipt, the day itself, the next."""
    due_date = deadlines.current.due_date
    before = [(due_date - timedelta(days=n_days), kind) for n_days, kind in _REMIND_DAYS_BEFORE.items()]
    days = [*before, (due_date + ONE_DAY, ReminderKind.OVERDUE)]
    return tuple(Reminder(date=day, kind=kind) for day, kind in days if day > deadlines.received_date)


def _end_of(clock: Clock, nominal: date) -> End:
    due_date, paused_due_date = clock.last_day(nominal), clock.last_day_with_pauses(nominal)
    return End(
        due_date=due_date,
        due_at=end_of_day(due_date, clock.zone),
        paused_due_date=paused_due_date,
        paused_due_at=None if paused_due_date is None else end_of_day(paused_due_date, clock.zone),
    )


def _acknowledgement_of(clock: Clock) -> End | None:
    # No law here lets a pause stop this one: it is what tells the person that the request arrived.
    due_date = clock.acknowledgement_date
    if due_date is None:
        return None
    due_at = end_of_day(due_date, clock.zone)
    return End(due_date=due_date, due_at=due_at, paused_due_date=due_date, paused_due_at=due_at)


def _notice_refusal(clock: Clock, first: End, notice_at: datetime) -> str | None:
    if clock.regime.extension == 0:
        return f"The period of {clock.regime.name} cannot be extended."
    if notice_at < clock.received_at:
        return f"Expected a notice sent after receipt at {clock.received_at:%Y-%m-%d %H:%M} UTC, found an earlier one."
    if notice_at > first.due_at:
        return f"Expected a notice sent by the end of {first.due_date} in {clock.zone}, found a later one."
    return None
