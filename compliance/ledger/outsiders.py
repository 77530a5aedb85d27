"""Witnesses, time stamp authorities and storages: whether they may be asked now, and what is told about each.

One that fails is asked again later and later, at most every five minutes; the others are not kept waiting. One that
says it knows another history is an alarm: it is logged each minute and stands on the portal's page until the same
outsider agrees again.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from compliance.ledger.models import Outsider

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
ALARM_PAUSE = timedelta(minutes=1)
# A success is written down at most this often.
SUCCESS_PAUSE = timedelta(seconds=10)
_logger = logging.getLogger(__name__)


def may_be_asked(name: str) -> bool:
    """False while the pause after a failure lasts."""
    return not Outsider.objects.filter(name=name, next_try_at__gt=_now()).exists()


def succeeded(name: str) -> None:
    """Note that this outsider did its part."""
    earlier = Outsider.objects.filter(name=name).first()
    if earlier is not None and earlier.failing_since is not None:
        _logger.info("%s works again after %d failures.", name, earlier.n_failures)
    elif earlier is not None and earlier.succeeded_at is not None and earlier.succeeded_at > _now() - SUCCESS_PAUSE:
        return
    cleared = {"failing_since": None, "n_failures": 0, "next_try_at": None, "problem": "", "is_alarm": False}
    Outsider.objects.update_or_create(name=name, defaults={"succeeded_at": _now(), **cleared})


def failed(name: str, problem: str) -> None:
    """Note a failure and when to try again: 2, 4, 8 … seconds later, at most five minutes."""
    row = Outsider.objects.get_or_create(name=name)[0]
    pause = min(FIRST_PAUSE * 2 ** min(row.n_failures, 16), LONGEST_PAUSE)
    # An alarm is not taken back by a failure of another kind.
    _store(row, row.problem if row.is_alarm else problem, pause)
    _logger.warning("%s: %s Next try in %d s.", name, problem, pause.total_seconds())


def raised_alarm(name: str, problem: str) -> None:
    """Note that this outsider contradicts the ledger's own history."""
    row = Outsider.objects.get_or_create(name=name)[0]
    row.is_alarm = True
    _store(row, problem, ALARM_PAUSE)
    _logger.critical("FORK ALARM. %s: %s", name, problem)


def keep_only(names: Collection[str]) -> None:
    """Forget all others."""
    Outsider.objects.exclude(name__in=names).delete()


def _store(row: Outsider, problem: str, pause: timedelta) -> None:
    now = _now()
    row.problem = problem
    row.n_failures += 1
    row.failing_since = row.failing_since or now
    row.next_try_at = now + pause
    row.save()


def _now() -> datetime:
    return datetime.now(tz=UTC)
