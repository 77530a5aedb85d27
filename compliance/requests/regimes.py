"""What a law says about time, as data: how long, in which unit, how it may be extended, what stops it.

Another law is another `Regime`. The United Kingdom's own wording, for one, needs nothing else.
"""

import calendar
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from compliance.requests.calendars import members_of
from compliance.requests.errors import InvalidInputError

_MOST = {"calendar_months": 24, "calendar_days": 731}
_FLAGS = {"pauses_count", "rolls_over"}
_NUMBERS = {"length", "extension", "acknowledgement_business_days"}


class Unit(StrEnum):
    """What a period is counted in."""

    CALENDAR_MONTHS = "calendar_months"
    CALENDAR_DAYS = "calendar_days"


@dataclass(frozen=True, kw_only=True)
class Regime:
    """The rules of one law; raises InvalidInputError for numbers and types that are none.

    `length` and `extension` are in `unit`, both counted from receipt: the extended period is their sum.
    `acknowledgement_business_days` is None where the law asks for no confirmation of receipt. `pauses_count` says
    whether practice accepts that the clock stands still. `rolls_over` says whether an end on a day that is no working
    day moves to the next one. The sources are quoted to those who ask why.
    """

    name: str
    unit: Unit
    length: int
    extension: int
    acknowledgement_business_days: int | None
    pauses_count: bool
    rolls_over: bool
    response_source: str
    counting_source: str
    rolling_source: str
    pause_source: str
    acknowledgement_source: str

    def __post_init__(self) -> None:
        if not isinstance(self.unit, Unit):
            raise InvalidInputError(f"regime.unit: expected one of {', '.join(Unit)}; found {self.unit!r}.")
        self._refuse_number("length", self.length, least=1)
        self._refuse_number("extension", self.extension, least=0)
        if self.acknowledgement_business_days is not None:
            self._refuse_number("acknowledgement_business_days", self.acknowledgement_business_days, least=1)
        for name, value in asdict(self).items():
            expected = bool if name in _FLAGS else str
            if name not in _NUMBERS and not isinstance(value, expected):
                raise InvalidInputError(f"regime.{name}: expected a {expected.__name__}, found {value!r}.")

    def _refuse_number(self, name: str, value: object, *, least: int) -> None:
        most = _MOST[self.unit]
        if type(value) is not int or not least <= value <= most:
            raise InvalidInputError(f"regime.{name}: expected a whole number from {least} to {most}, found {value!r}.")

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """A regime from its JSON form; raises InvalidInputError."""
        members = members_of(cls, document)
        if members["unit"] not in Unit.__members__.values():
            raise InvalidInputError(f"regime.unit: expected one of {', '.join(Unit)}; found {members['unit']!r}.")
        return cls(**{**members, "unit": Unit(members["unit"])})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "unit": str(self.unit)}

    def after(self, day: date, n_units: int) -> date:
        """The day on which a period of n units ends that runs from this day, which is not counted.

        Months end on the day of the same number, or on the last day of a month that has none (Regulation 1182/71
        Art. 3(1) and (2)(c)).
        """
        if self.unit is Unit.CALENDAR_DAYS:
            return day + timedelta(days=n_units)
        year, month = divmod(day.year * 12 + day.month - 1 + n_units, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

    def words(self, n_units: int) -> str:
        """Such as 1 month or 45 calendar days."""
        unit = "month" if self.unit is Unit.CALENDAR_MONTHS else "calendar day"
        return f"{n_units} {unit}" if n_units == 1 else f"{n_units} {unit}s"


GDPR = Regime(
    name="gdpr",
    unit=Unit.CALENDAR_MONTHS,
    length=1,
    extension=2,
    acknowledgement_business_days=None,
    pauses_count=True,
    rolls_over=True,
    response_source="GDPR Art. 12(3), Regulation 1182/71 Art. 3(2)(c)",
    counting_source="Regulation 1182/71 Art. 3(1)",
    rolling_source="Regulation 1182/71 Art. 3(4)",
    pause_source="EDPB Guidelines 01/2022",
    acknowledgement_source="",
)
# The end is not moved, also not from a holiday such as Presidents' Day. The regulations name calendar days alone; where
# California's general rule for periods (Civil Code §10) would allow another day, the date here is the earlier one.
CCPA = Regime(
    name="ccpa",
    unit=Unit.CALENDAR_DAYS,
    length=45,
    extension=45,
    acknowledgement_business_days=10,
    pauses_count=False,
    rolls_over=False,
    response_source="CCPA regulations §7021(b)",
    counting_source="California Civil Code §10",
    rolling_source="CCPA regulations §7021(b), which name calendar days alone",
    pause_source="CCPA regulations §7021(b)",
    acknowledgement_source="CCPA regulations §7021(a)",
)
REGIMES: Mapping[str, Regime] = {regime.name: regime for regime in (GDPR, CCPA)}


def regime_named(name: str) -> Regime:
    """The regime of this name; raises InvalidInputError."""
    if name not in REGIMES:
        raise InvalidInputError(f"regime: expected one of {', '.join(REGIMES)}; found {name!r}.")
    return REGIMES[name]
