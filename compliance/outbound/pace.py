"""When to try again: twelve tries within a day, each pause about twice the one before.

Pauses are 40 s, 80 s, … 11 h 22 min, 22 h 44 min together. Each is shortened by up to a quarter at random, so that what
failed together does not come back together.
"""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_TRIES = 12
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=40)
_SHORTEST_SHARE = 0.75
_MAX_DIGITS = 9
#: The statuses whose Retry-After is honoured (RFC 9110, section 10.2.3; RFC 6585, section 4).
BUSY = frozenset({429, 503})


def next_try_at(n_tries: int, now: datetime, give_up_at: datetime, wish: timedelta | None = None) -> datetime | None:
    """When the try after `n_tries` is due; None when it is time to give up.

    A receiver's wish for a longer pause is granted, up to the moment of giving up, which then has the last try.
    """
    if n_tries >= MAX_TRIES or now >= give_up_at:
        return None
    share: float = random.uniform(_SHORTEST_SHARE, 1)  # noqa: S311 - spreads load, keeps no secret
    pause = FIRST_PAUSE * (1 << (n_tries - 1)) * share
    return min(now + max(pause, wish or timedelta(0)), give_up_at)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """The pause that a Retry-After asks for, in seconds or until a date; None where it says nothing readable."""
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS:
        return timedelta(seconds=int(digits))
    try:
        at = parsedate_to_datetime(text)
        # Dates of HTTP are in GMT; a -0000 is read without a zone.
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta(0))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
