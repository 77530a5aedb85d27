"""By when the answer is due, with the reasons in the words of the person's language.

The same reasons, to the last rule, are stored with the request in English (deadline_reasons.py), for those who check.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from compliance.law.provisions import Article
from compliance.public.words import Words
from compliance.requests import clocks
from compliance.requests.calendars import local_date
from compliance.requests.deadlines import Deadlines
from compliance.requests.models import DeletionRequest, Regulation

_ANSWER = Article(number=12, paragraph=3)


@dataclass(frozen=True, kw_only=True)
class Period:
    """The last day, and why. `is_extended` once the person was told of it."""

    due_date: date
    is_extended: bool
    reasons: tuple[str, ...]


def period_of(deletion: DeletionRequest, words: Words) -> Period:
    """As it was last counted; nothing is counted anew."""
    counted = clocks.deadlines(deletion)
    return Period(
        due_date=counted.current.due_date,
        is_extended=counted.clock.extension_notice_at is not None,
        reasons=tuple(_reasons(deletion, counted, words)),
    )


def _reasons(deletion: DeletionRequest, counted: Deadlines, words: Words) -> Iterator[str]:
    nominal, first = counted.clock.nominal_end, counted.first.due_date
    yield words.text("because_received", received=words.date(counted.received_date))
    is_gdpr = deletion.regulation == Regulation.GDPR
    cite = words.law.cite(_ANSWER) if is_gdpr else deletion.get_regulation_display()
    yield words.text(f"because_{deletion.regulation}", cite=cite, end=words.date(nominal))
    if first != nominal:
        yield words.text("because_rolled", end=words.date(nominal), due=words.date(first))
    yield from _extension(deletion, counted, words)
    yield from _waiting(counted, words)


def _extension(deletion: DeletionRequest, counted: Deadlines, words: Words) -> Iterator[str]:
    told_at = counted.clock.extension_notice_at
    if told_at is not None and deletion.extension_reason:
        yield words.text(
            "because_extended",
            told=words.date(local_date(told_at, counted.clock.zone)),
            reason=words.law.extensions[deletion.extension_reason],
            due=words.date(counted.current.due_date),
        )


def _waiting(counted: Deadlines, words: Words) -> Iterator[str]:
    current = counted.current
    if current.paused_due_date is None:
        yield words.text("because_waiting")
    elif current.paused_due_date != current.due_date:
        yield words.text("because_waited", paused=words.date(current.paused_due_date))
