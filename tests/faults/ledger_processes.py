"""The ledger's processes as children that can be killed and begun again in a moment, and the points at which they die.

Each child runs the product's own steps in a loop. A child may be told to die by SIGKILL right before its n-th point:
a statement sent to the database, or a file opened, renamed, removed, truncated or made (CPython audit events).
"""

import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"})
PAUSE_SECONDS = 0.005


class Points:
    """Counts the points of this process, and kills it before the one that was chosen."""

    def __init__(self, die_at: int | None) -> None:
        self._left = die_at

    def install(self) -> None:
        """From now on every statement and file operation counts."""
        from django.db import connection

        connection.execute_wrappers.append(self._statement)
        sys.addaudithook(self._event)

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self._pass()
        return execute(sql, params, many, context)

    def _event(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in _FILE_EVENTS:
            self._pass()

    def _pass(self) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def sequencer() -> Callable[[], object]:
    """The step of the sequencer: small batches, so that there are many edges between them."""
    from compliance.ledger.sequencer import sequence_batch

    return lambda: sequence_batch(limit=7)


def checkpointer() -> Callable[[], object]:
    """The step of the checkpointer."""
    from compliance.ledger.checkpointer import sign_checkpoint

    return sign_checkpoint


def publisher() -> Callable[[], object]:
    """The step of the publisher, without witnesses or authority."""
    from django.conf import settings

    from compliance.ledger.log_store import store_at
    from compliance.ledger.publisher import Publisher

    made = Publisher(store_at(str(settings.LOG_DIR)), None, None)
    return made.publish


STEPS: dict[str, Callable[[], Callable[[], object]]] = {
    "sequencer": sequencer,
    "checkpointer": checkpointer,
    "publisher": publisher,
}


def begin(name: str, die_at: int | None) -> int:
    """Fork a child that runs this process until it is killed; returns its pid."""
    return _fork(lambda: _loop(name, die_at))


def begin_writer(acknowledged: Path) -> int:
    """Fork a child that appends events and notes each one that was committed; returns its pid."""
    return _fork(lambda: _write(acknowledged))


def _fork(run: Callable[[], None]) -> int:
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        # An inherited handler would belong to the parent.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        run()
    finally:
        os._exit(1)


def _loop(name: str, die_at: int | None) -> None:
    from django.db import Error

    from compliance.ledger.leadership import AnotherLeadsError

    step = STEPS[name]()
    Points(die_at).install()
    while True:
        try:
            step()
        except AnotherLeadsError:
            # Its turn comes when the other one is dead.
            pass
        except (Error, OSError):
            # The database is away, or the disk full: what the product's own loop waits for, too.
            _reconnect()
        time.sleep(PAUSE_SECONDS)


def _write(acknowledged: Path) -> None:
    from django.db import Error, transaction

    from compliance.ledger.actors import SYSTEM
    from compliance.ledger.record import record_event

    facts = {"job": str(uuid.uuid4()), "target": str(uuid.uuid4()), "reason": "unexpected_error"}
    with acknowledged.open("ab", buffering=0) as notes:
        while True:
            try:
                with transaction.atomic():
                    leaf = record_event(
                        "job.failed", actor=SYSTEM, facts=facts, request_id=uuid.uuid4(), previous="0" * 64
                    )
            except Error:
                _reconnect()
                continue
            notes.write(f"{leaf}\n".encode())
            time.sleep(PAUSE_SECONDS)


def _reconnect() -> None:
    from django.db import connections

    connections.close_all()
    time.sleep(0.05)
