"""What sets the clock of a request: the law, the place, the receipt, and what happened to the period since.

A clock is all that deadlines are counted from, and is stored with them: calendars and zones change later while what
the person was told does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from compliance.requests.calendars import (
    ONE_DAY,
    Calendar,
    in_utc,
    local_date,
    members_of,
    refuse_unknown_zone,
    time_from,
    time_or_none,
)
from compliance.requests.errors import InvalidInputError
from compliance.requests.regimes import Regime


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A time in which the controller waited for the person. `until_at` is None while it still does.

    Raises InvalidInputError for naive times and for an end before the beginning.
    """

    from_at: datetime
    until_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "from_at", in_utc(self.from_at, "pause.from_at"))
        if self.until_at is None:
            return
        object.__setattr__(self, "until_at", in_utc(self.until_at, "pause.until_at"))
        if self.until_at < self.from_at:
            raise InvalidInputError(
                f"pause.until_at: expected a time from {self.from_at.isoformat()} on, when the pause began; "
                f"found {self.until_at.isoformat()}."
            )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """A pause from its JSON form; raises InvalidInputError."""
        members = members_of(cls, document)
        return cls(from_at=time_from(members["from_at"]), until_at=time_or_none(members["until_at"]))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"from_at": self.from_at.isoformat(), "until_at": self.until_at and self.until_at.isoformat()}


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """A pause in whole days of the controller's zone: those after `from_date` up to and including `until_date`.

    As with receipt, the day on which something happens is not counted (Regulation 1182/71 Art. 3(1)): the day of the
    question still runs, the day of the answer does not.
    """

    from_date: date
    until_date: date | None


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Everything that deadlines depend on.

    `received_at` is the arrival at any channel offered for requests, not the moment somebody read it. `zone` is the
    controller's IANA time zone. `extension_notice_at` is when the person was told of an extension and its reasons.
    Times are kept in UTC, pauses in order. Raises InvalidInputError for naive times, an unknown zone, pauses that
    overlap or begin before receipt, and a day in a year that the calendar does not cover.
    """

    regime: Regime
    calendar: Calendar
    zone: str
    received_at: datetime
    pauses: tuple[Pause, ...] = ()
    extension_notice_at: datetime | None = None

    def __post_init__(self) -> None:
        refuse_unknown_zone(self.zone)
        object.__setattr__(self, "received_at", in_utc(self.received_at, "received_at"))
        object.__setattr__(self, "pauses", tuple(sorted(self.pauses, key=lambda pause: pause.from_at)))
        if self.extension_notice_at is not None:
            object.__setattr__(self, "extension_notice_at", in_utc(self.extension_notice_at, "extension_notice_at"))
        self._refuse_impossible_pauses()
        self._refuse_uncovered_days()

    def _refuse_impossible_pauses(self) -> None:
        free_from: datetime | None = self.received_at
        for pause in self.pauses:
            if free_from is None or pause.from_at < free_from:
                expected = (
                    "none after the open one" if free_from is None else f"the next from {free_from.isoformat()} on"
                )
                raise InvalidInputError(
                    f"pauses: expected {expected}, found one that begins at {pause.from_at.isoformat()}. "
                    "Pauses begin after receipt and do not overlap."
                )
            free_from = pause.until_at

    def _refuse_uncovered_days(self) -> None:
        ends = [pause.until_date for pause in self.suspensions if pause.until_date is not None]
        for day in (self.received_date, *ends):
            self.calendar.is_working(day)

    @property
    def received_date(self) -> date:
        """The day of receipt in the controller's zone."""
        return local_date(self.received_at, self.zone)

    @property
    def suspensions(self) -> tuple[Suspension, ...]:
        """The pauses in whole days, in order; none where the law knows no pause."""
        pauses = self.pauses if self.regime.pauses_count else ()
        return tuple(
            Suspension(
                from_date=local_date(pause.from_at, self.zone),
                until_date=None if pause.until_at is None else local_date(pause.until_at, self.zone),
            )
            for pause in pauses
        )

    @property
    def nominal_end(self) -> date:
        """Where the first period would end if every day were a working day."""
        return self.regime.after(self.received_date, self.regime.length)

    @property
    def nominal_extended_end(self) -> date:
        """The same for the extended period, which is counted from receipt as a whole."""
        return self.regime.after(self.received_date, self.regime.length + self.regime.extension)

    @property
    def nominal_chained_end(self) -> date:
        """The same for those who count the extension from the end of the first period.

        From its nominal end, which never gives a later date than its end after a weekend.
        """
        return self.regime.after(self.nominal_end, self.regime.extension)

    @property
    def acknowledgement_date(self) -> date | None:
        """By when receipt must be confirmed, or None where the law does not ask for it."""
        n_days = self.regime.acknowledgement_business_days
        return None if n_days is None else self.calendar.working_days_after(self.received_date, n_days)

    def last_day(self, nominal: date) -> date:
        """The last day of a period with this nominal end: the next working day where the law moves it there."""
        return self.calendar.on_or_after(nominal) if self.regime.rolls_over else nominal

    def last_day_with_pauses(self, nominal: date) -> date | None:
        """The same if no suspended day is counted, or None while it is open how many there will be.

        A period that ran out before a pause began stays where it was.
        """
        end = nominal
        for pause in self.suspensions:
            if pause.from_date >= self.last_day(end):
                break
            if pause.until_date is None:
                return None
            # Begun on the weekend or holiday after the nominal end, a pause only delays the next working day.
            runs = pause.from_date < end
            end = end + (pause.until_date - pause.from_date) if runs else pause.until_date + ONE_DAY
        return self.last_day(end)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """A clock from its JSON form; raises InvalidInputError."""
        members = members_of(cls, document)
        if not isinstance(members["pauses"], list):
            raise InvalidInputError("clock.pauses: expected a list, found something else.")
        return cls(
            regime=Regime.from_dict(members["regime"]),
            calendar=Calendar.from_dict(members["calendar"]),
            zone=members["zone"],
            received_at=time_from(members["received_at"]),
            pauses=tuple(Pause.from_dict(pause) for pause in members["pauses"]),
            extension_notice_at=time_or_none(members["extension_notice_at"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "regime": self.regime.to_dict(),
            "calendar": self.calendar.to_dict(),
            "zone": self.zone,
            "received_at": self.received_at.isoformat(),
            "pauses": [pause.to_dict() for pause in self.pauses],
            "extension_notice_at": self.extension_notice_at and self.extension_notice_at.isoformat(),
        }
