"""Days and moments: which days are working days, which day it is somewhere, and when a day ends there.

Public holidays come with the package `holidays`, whose data is part of it: nothing is fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

import holidays

from compliance.requests.errors import InvalidInputError

ONE_DAY = timedelta(days=1)
HOLIDAYS_SOURCE = f"holidays {version('holidays')}"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# These name whatever the machine is set to, or no place at all.
_NO_PLACES = frozenset({"localtime", "Factory"})


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The working days of a place: all but its weekend and its public holidays (Regulation 1182/71 Art. 2).

    `country` is an ISO 3166-1 code of two letters; `subdivision` one that `holidays` knows for it, or None for the
    holidays of the whole country; `weekend` holds weekdays, Monday being 0. Raises InvalidInputError.
    """

    country: str
    subdivision: str | None = None
    weekend: tuple[int, ...] = (5, 6)

    def __post_init__(self) -> None:
        subdivisions = _subdivisions().get(self.country) if isinstance(self.country, str) else None
        if subdivisions is None:
            raise InvalidInputError(
                f"calendar.country: expected one of the {len(_subdivisions())} countries of {HOLIDAYS_SOURCE}, by its "
                f"code of two letters such as DE; found {self.country!r}."
            )
        if self.subdivision is not None and self.subdivision not in subdivisions:
            known = ", ".join(subdivisions) or "none"
            raise InvalidInputError(
                f"calendar.subdivision: {self.country} has {known}; found {self.subdivision!r}. "
                "Leave it out to take the holidays of the whole country."
            )
        if not _is_weekend(self.weekend):
            raise InvalidInputError(
                "calendar.weekend: expected at most six different weekdays in rising order, 0 for Monday to 6 for "
                f"Sunday; found {self.weekend!r}."
            )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """A calendar from its JSON form; raises InvalidInputError."""
        members = members_of(cls, document)
        if not isinstance(members["weekend"], list):
            raise InvalidInputError("calendar.weekend: expected a list of weekdays, found something else.")
        return cls(**{**members, "weekend": tuple(members["weekend"])})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"country": self.country, "subdivision": self.subdivision, "weekend": list(self.weekend)}

    @property
    def label(self) -> str:
        """Such as DE or US-CA."""
        return self.country if self.subdivision is None else f"{self.country}-{self.subdivision}"

    def is_working(self, day: date) -> bool:
        """Whether people work on this day; raises InvalidInputError for a year that the source does not cover."""
        return self.reason_off(day) is None

    def reason_off(self, day: date) -> str | None:
        """Why the day is no working day, in words, or None where it is one; raises as `is_working` does."""
        name = _holidays_of(self.country, self.subdivision, day.year).get(day)
        if name is not None:
            return f"a public holiday ({name})"
        return f"a {_WEEKDAYS[day.weekday()]}" if day.weekday() in self.weekend else None

    def on_or_after(self, day: date) -> date:
        """The first working day from this one on; raises as `is_working` does."""
        while not self.is_working(day):
            day += ONE_DAY
        return day

    def working_days_after(self, day: date, n_days: int) -> date:
        """The n-th working day after this one, which itself is not counted; raises as `is_working` does."""
        for _ in range(n_days):
            day = self.on_or_after(day + ONE_DAY)
        return day


def refuse_unknown_zone(zone: object) -> None:
    """Raises InvalidInputError unless this names a place in the IANA time zone database."""
    if not isinstance(zone, str) or zone not in _zones():
        raise InvalidInputError(
            f"zone: expected the name of an IANA time zone such as Europe/Berlin, found {zone!r}. "
            "Where a known zone is missing, install the system's tzdata."
        )


def in_utc(at: datetime, what: str) -> datetime:
    """The same moment in UTC; raises InvalidInputError for a naive time and for one at the edge of the calendar."""
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise InvalidInputError(f"{what}: expected a time with a zone, found {at!r}. Naive times have no place.")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInputError(f"{what}: expected a time of our era, found {at.isoformat()}.") from error


def local_date(at: datetime, zone: str) -> date:
    """Which day it is in the zone at this moment; raises InvalidInputError as `in_utc` does."""
    try:
        return in_utc(at, "time").astimezone(ZoneInfo(zone)).date()
    except OverflowError as error:
        raise InvalidInputError(f"time: expected a time of our era, found {at.isoformat()}.") from error


def end_of_day(day: date, zone: str) -> datetime:
    """The last microsecond of the day in the zone, in UTC.

    Where clocks are set at midnight, the next day begins at the first moment that reads as it.
    """
    return datetime.combine(day + ONE_DAY, time(), ZoneInfo(zone)).astimezone(UTC) - timedelta(microseconds=1)


def time_from(text: object) -> datetime:
    """A time from its JSON form, ISO 8601 with an offset; raises InvalidInputError."""
    try:
        return in_utc(datetime.fromisoformat(str(text)), "time")
    except ValueError as error:
        raise InvalidInputError(f"time: expected one such as 2026-05-01T12:00:00+00:00, found {text!r}.") from error


def time_or_none(text: object) -> datetime | None:
    """The same where a time may be missing."""
    return None if text is None else time_from(text)


def date_from(text: object) -> date:
    """A day from its JSON form; raises InvalidInputError."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidInputError(f"date: expected one such as 2026-05-01, found {text!r}.")
    return day


def members_of(kind: type, document: object) -> dict[str, Any]:
    """The members of a JSON object, one for each field of a dataclass, neither more nor fewer; InvalidInputError."""
    names = {field.name for field in fields(kind)}
    if not isinstance(document, Mapping) or set(document) != names:
        raise InvalidInputError(
            f"{kind.__name__}: expected an object with exactly the members {', '.join(sorted(names))}; found another."
        )
    return dict(document)


def _is_weekend(days: object) -> bool:
    return (
        isinstance(days, tuple)
        and all(type(day) is int and 0 <= day <= 6 for day in days)
        and list(days) == sorted(set(days))
        and len(days) <= 6
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


@cache
def _subdivisions() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


@lru_cache(maxsize=4096)
def _holidays_of(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """One year's public holidays with their names.

    Complete before anyone sees it: the library's own objects fill themselves while they are asked, which two threads
    must not do at once.
    """
    source = holidays.country_holidays(country, subdiv=subdivision)
    if not source.start_year <= year <= source.end_year:
        raise InvalidInputError(
            f"calendar: {HOLIDAYS_SOURCE} knows the holidays of {country} from {source.start_year} to "
            f"{source.end_year}; found a day in {year}. Update the package or choose another calendar."
        )
    # A language must be named, or the names follow the settings of the machine.
    language = "en_US" if "en_US" in source.supported_languages else source.default_language
    days = holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False, language=language)
    return {day: name for day, name in days.items() if day.year == year}
