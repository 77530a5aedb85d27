"""The loop that the processes of the ledger share: do a step, pause, and stop cleanly when told to.

A database that restarts, or takes no writes after a fail-over, is waited for: nothing is lost, the outbox and the log
stay where they are. What a person has to look at does not end the process, which would be restarted and say it once; it
is said again each minute.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from compliance.ledger.hold import LedgerHeldError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.roles import sqlstate

RETRY_SECONDS = 2.0
ALARM_SECONDS = 60.0
ALARM_EXIT_CODE = 3
# How long a process that does not lead waits before it asks again, and `--once` until it gives up.
LEAD_SECONDS = 0.5
ONCE_SECONDS = 10.0
_Errors = tuple[type[Exception], ...]
_DATABASE_IS_AWAY: _Errors = (OperationalError, InterfaceError)
_STANDS_BY = (AnotherLeadsError, LedgerHeldError)
# A standby server takes no writes; its connection has to be made anew, to whoever is the primary then.
_READ_ONLY = "25006"


@dataclass(frozen=True)
class Process:
    """One process of the ledger. `step` returns whether there may be more to do at once.

    `prepare` runs before the first step and after each loss of the database. Errors of `waits_for` are retried,
    `alarms` need a person, and `ends_with` end the process with their sentence.
    """

    prepare: Callable[[], None]
    step: Callable[[], bool]
    busy_seconds: float
    idle_seconds: float
    waits_for: _Errors = ()
    alarms: _Errors = ()
    ends_with: _Errors = ()


class MinuteVoice:
    """Says what lasts once a minute."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said_at: dict[str, float] = {}

    def say_at_once(self, sentence: str) -> None:
        """Say what is no matter of a topic that lasts."""
        self._say(sentence)

    def say(self, topic: str, sentence: str) -> None:
        """Say it, unless something was said of this topic within the last minute."""
        now = time.monotonic()
        if topic not in self._said_at or now - self._said_at[topic] >= ALARM_SECONDS:
            self._said_at[topic] = now
            self._say(sentence)


def run(process: Process, say: Callable[[str], None], *, once: bool) -> None:
    """Run until SIGTERM or SIGINT, or with `once` until there is nothing left to do.

    Raises CommandError; with `once` also for an alarm and a ledger that is held, with exit code 3, when another process
    leads for longer than ONCE_SECONDS, and the database's own errors.
    """
    if once:
        _run_once(process)
        return
    stop, is_prepared, voice = threading.Event(), False, MinuteVoice(say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    repeated: _Errors = (*process.alarms, *_STANDS_BY, *process.waits_for, DatabaseError, InterfaceError)
    while not stop.is_set():
        try:
            if not is_prepared:
                process.prepare()
                is_prepared = True
            pause = process.busy_seconds if process.step() else process.idle_seconds
        except process.ends_with as error:
            raise CommandError(str(error)) from error
        except repeated as error:
            pause = _pause_after(error, process, voice)
            is_prepared = is_prepared and not _is_away(error, process)
        stop.wait(pause)


def _pause_after(error: Exception, process: Process, voice: MinuteVoice) -> float:
    """Say what is in the way, and for how many seconds; raises what waiting does not help against."""
    if isinstance(error, process.alarms):
        voice.say_at_once(f"ALARM, nothing was done: {error}")
        return ALARM_SECONDS
    if isinstance(error, _STANDS_BY):
        voice.say(type(error).__name__, str(error))
        return max(LEAD_SECONDS, process.idle_seconds)
    if not _is_away(error, process):
        raise error
    voice.say_at_once(f"not reachable, trying again: {error}")
    if _sqlstate(error) == _READ_ONLY:
        connection.close()
    close_old_connections()
    return RETRY_SECONDS


def _is_away(error: Exception, process: Process) -> bool:
    """Whether it comes back: not where a statement of ours is wrong."""
    return isinstance(error, _DATABASE_IS_AWAY + process.waits_for) or _sqlstate(error) == _READ_ONLY


def _sqlstate(error: Exception) -> str:
    return sqlstate(error) if isinstance(error, DatabaseError) else ""


def _run_once(process: Process) -> None:
    alarms: _Errors = (*process.alarms, LedgerHeldError)
    ends_with: _Errors = (*process.ends_with, AnotherLeadsError)
    try:
        process.prepare()
        while _step_when_leading(process):
            pass
    except alarms as error:
        raise CommandError(str(error), returncode=ALARM_EXIT_CODE) from error
    except ends_with as error:
        raise CommandError(str(error)) from error


def _step_when_leading(process: Process) -> bool:
    """A step, after the wait for whoever leads; raises AnotherLeadsError when that takes too long."""
    deadline = time.monotonic() + ONCE_SECONDS
    while True:
        try:
            return process.step()
        except AnotherLeadsError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(LEAD_SECONDS)
