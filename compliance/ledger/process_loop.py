"""The loop that the processes of the ledger share: do a step, pause, and stop cleanly when told to.

A database that restarts is waited for: nothing is lost, the outbox and the log stay where they are. What a person has
to look at does not end the process, which would be restarted and say it once; it is said again each minute.
"""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

RETRY_SECONDS = 2.0
ALARM_SECONDS = 60.0
ALARM_EXIT_CODE = 3
_DATABASE_IS_AWAY: tuple[type[Exception], ...] = (OperationalError, InterfaceError)


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
    waits_for: tuple[type[Exception], ...] = ()
    alarms: tuple[type[Exception], ...] = ()
    ends_with: tuple[type[Exception], ...] = ()


def run(process: Process, say: Callable[[str], None], *, once: bool) -> None:
    """Run until SIGTERM or SIGINT, or with `once` until there is nothing left to do.

    Raises CommandError; with `once` also for an alarm, with exit code 3, and the database's own errors.
    """
    if once:
        _run_once(process)
        return
    stop, is_prepared = threading.Event(), False
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            if not is_prepared:
                process.prepare()
                is_prepared = True
            pause = process.busy_seconds if process.step() else process.idle_seconds
        except process.alarms as error:
            say(f"ALARM, nothing was done: {error}")
            pause = ALARM_SECONDS
        except _DATABASE_IS_AWAY + process.waits_for as error:
            say(f"not reachable, trying again: {error}")
            close_old_connections()
            is_prepared, pause = False, RETRY_SECONDS
        except process.ends_with as error:
            raise CommandError(str(error)) from error
        stop.wait(pause)


def _run_once(process: Process) -> None:
    try:
        process.prepare()
        while process.step():
            pass
    except process.alarms as error:
        raise CommandError(str(error), returncode=ALARM_EXIT_CODE) from error
    except process.ends_with as error:
        raise CommandError(str(error)) from error
