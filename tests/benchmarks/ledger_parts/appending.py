"""Appends through Django with several writers, beside the sequencer and the checkpointer, and two yardsticks.

An append is one event in one transaction of its own, committed to a server that syncs every commit. It counts once it
has its position in the log. The yardsticks run on the same server right after: rows of the same size in COPY batches
of 100 through psycopg, and one row a commit under the lock of a counter.
"""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

N_WRITERS = 8
SECONDS = 15.0
COPY_ROWS = 100


@dataclass(frozen=True)
class Appending:
    """What was measured: per second, and the 99th percentile from intake to a signed checkpoint in seconds."""

    n_entries: int
    appends_per_second: float
    copied_per_second: float
    single_per_second: float
    p99_checkpoint_seconds: float


def measure() -> Appending:
    """Run all three, one after the other."""
    from compliance.ledger import keys, logs

    keys.create_missing()
    _run([_write] * N_WRITERS + [_sequence, _checkpoint], seconds=SECONDS / 3)
    log = logs.newest()
    first = 0 if log is None else log.end
    elapsed = _run([_write] * N_WRITERS + [_sequence, _checkpoint], seconds=SECONDS)
    log = logs.newest()
    assert log is not None
    n_entries = log.end - first
    return Appending(
        n_entries=n_entries,
        appends_per_second=n_entries / elapsed,
        copied_per_second=_count("copied", [_copy] * N_WRITERS),
        single_per_second=_count("single", [_single] * N_WRITERS),
        p99_checkpoint_seconds=_p99(first),
    )


def _run(parts: list[Callable[..., None]], seconds: float) -> float:
    """Run each part in a process of its own until the time is over; the sequencer and checkpointer then finish.

    Returns the seconds from the moment when all were ready until the last had finished.
    """
    context = multiprocessing.get_context("spawn")
    stop, drained = context.Event(), context.Event()
    begin = context.Barrier(len(parts) + 1)
    processes = [context.Process(target=part, args=(begin, stop, drained)) for part in parts]
    for process in processes:
        process.start()
    # Starting Python and Django is not what is measured.
    begin.wait()
    started = time.monotonic()
    time.sleep(seconds)
    stop.set()
    for process, part in zip(processes, parts, strict=True):
        if part not in (_sequence, _checkpoint):
            process.join()
    drained.set()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError(f"A part ended with {[process.exitcode for process in processes]}.")
    return time.monotonic() - started


def _set_up(begin: Any) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    # As in service: while debugging, Django notes every statement and its time.
    settings.DEBUG = False
    connection.ensure_connection()
    begin.wait()


def _write(begin: Any, stop: Any, drained: Any) -> None:
    _set_up(begin)
    from django.db import transaction

    from compliance.ledger.actors import SYSTEM
    from compliance.ledger.record import record_event

    facts = {"job": str(uuid.uuid4()), "target": str(uuid.uuid4()), "reason": "unexpected_error"}
    while not stop.is_set():
        with transaction.atomic():
            record_event("job.failed", actor=SYSTEM, facts=facts, request_id=uuid.uuid4(), previous="0" * 64)


def _sequence(begin: Any, stop: Any, drained: Any) -> None:
    _set_up(begin)
    from compliance.ledger.sequencer import sequence_batch

    while sequence_batch() or not drained.is_set():
        time.sleep(0.02)


def _checkpoint(begin: Any, stop: Any, drained: Any) -> None:
    _set_up(begin)
    from compliance.ledger.checkpointer import sign_checkpoint

    while sign_checkpoint() is not None or not drained.is_set():
        time.sleep(0.2)


def _p99(first: int) -> float:
    """From the time an entry was recorded to that of the first checkpoint over it."""
    from django.db.models import OuterRef, Subquery

    from compliance.ledger.models import LedgerEntry, SignedCheckpoint

    over = SignedCheckpoint.objects.filter(end__gt=OuterRef("position")).order_by("end").values("signed_at")[:1]
    rows = LedgerEntry.objects.filter(position__gte=first).annotate(signed_at=Subquery(over))
    waits = sorted(
        (signed - recorded).total_seconds() for recorded, signed in rows.values_list("recorded_at", "signed_at")
    )
    return float(waits[int(0.99 * len(waits))])


def _count(table: str, parts: list[Callable[..., None]]) -> float:
    """Rows a second that end up in a table of the yardsticks."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (position bigint PRIMARY KEY, entry_id uuid UNIQUE, leaf bytea)")
        cursor.execute(f"CREATE TABLE {table}_head AS SELECT 0::bigint AS size")
        elapsed = _run(parts, seconds=SECONDS / 3)
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  a constant of this file
        (n_rows,) = cursor.fetchone()
    return float(n_rows / elapsed)


def _copy(begin: Any, stop: Any, drained: Any) -> None:
    """The fastest way in that keeps positions gap-free: many rows a commit, the counter locked meanwhile."""
    _set_up(begin)
    from django.db import connection

    connection.ensure_connection()
    raw, leaf = connection.connection, b"x" * 350
    while not stop.is_set():
        with raw.transaction(), raw.cursor() as cursor:
            cursor.execute("UPDATE copied_head SET size = size + %s RETURNING size", [COPY_ROWS])
            (end,) = cursor.fetchone()
            with cursor.copy("COPY copied (position, entry_id, leaf) FROM STDIN") as copy:
                for number in range(end - COPY_ROWS, end):
                    copy.write_row((number, uuid.uuid4(), leaf))


def _single(begin: Any, stop: Any, drained: Any) -> None:
    """The plain way: one row a commit, positions from a locked counter."""
    _set_up(begin)
    from django.db import connection

    connection.ensure_connection()
    raw, leaf = connection.connection, b"x" * 350
    while not stop.is_set():
        with raw.transaction(), raw.cursor() as cursor:
            cursor.execute("UPDATE single_head SET size = size + 1 RETURNING size")
            (end,) = cursor.fetchone()
            cursor.execute(
                "INSERT INTO single (position, entry_id, leaf) VALUES (%s, %s, %s)", [end, uuid.uuid4(), leaf]
            )
