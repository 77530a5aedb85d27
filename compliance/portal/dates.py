"""By when a request is answered, as its page tells it: the date, how far away it is, why, and whether it was extended."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from compliance.requests import clocks
from compliance.requests.actions import extend
from compliance.requests.deadlines import Deadlines, extension_refusal
from compliance.requests.models import DeletionRequest


class Extension(StrEnum):
    """How far an extension of the period is."""

    POSSIBLE = "possible"
    IMPOSSIBLE = "impossible"
    #: Decided, and the notice has not gone out yet: the date moves when it has.
    DECIDED = "decided"
    #: Decided, but the notice did not go out within the first period: the date stays.
    LAPSED = "lapsed"
    TOLD = "told"
    #: The request was closed without one.
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Dates:
    """The date that alarms go by, counted until now or until the request was closed.

    `paused_date` is the date with pauses where it differs, None where it does not or is not known yet (`is_paused`).
    """

    due_date: date
    days_left: int
    is_open: bool
    is_paused: bool
    paused_date: date | None
    because: tuple[str, ...]
    first_date: date
    extended_date: date
    extension: Extension
    extension_refusal: str
    told_at: datetime | None


def dates(deletion: DeletionRequest) -> Dates:
    """As they were last counted; nothing is counted anew."""
    counted = clocks.deadlines(deletion)
    now = datetime.now(tz=UTC)
    refusal = extend.refusal(deletion, now) or ""
    current = counted.current
    return Dates(
        due_date=current.due_date,
        days_left=counted.days_left(deletion.closed_at or now),
        is_open=deletion.closed_at is None,
        is_paused=current.paused_due_date is None,
        paused_date=None if current.paused_due_date == current.due_date else current.paused_due_date,
        because=counted.because,
        first_date=counted.first.due_date,
        extended_date=counted.extended_target.due_date,
        extension=_extension(deletion, counted, now, refusal),
        extension_refusal=refusal,
        told_at=counted.clock.extension_notice_at,
    )


def _extension(deletion: DeletionRequest, counted: Deadlines, now: datetime, refusal: str) -> Extension:
    if counted.clock.extension_notice_at is not None:
        return Extension.TOLD
    if deletion.extension_reason:
        is_late = deletion.closed_at is not None or extension_refusal(counted, now) is not None
        return Extension.LAPSED if is_late else Extension.DECIDED
    if deletion.closed_at is not None:
        return Extension.NONE
    return Extension.IMPOSSIBLE if refusal else Extension.POSSIBLE
