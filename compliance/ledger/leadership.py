"""One writer at a time, whoever runs: a lock that lives exactly as long as the transaction that took it.

A process that was killed, or whose connection broke, therefore never keeps the lead. On SQLite every transaction that
writes waits for the one before it, so there is nothing to take.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Part(IntEnum):
    """The writers of the ledger, as keys of PostgreSQL advisory locks (0x45787001 is "Ex", "p" and a number)."""

    SEQUENCER = 0x45787001
    CHECKPOINTER = 0x45787002
    PUBLISHER = 0x45787003


def takes_lead(part: Part) -> bool:
    """Whether this transaction leads; another process leads when it does not. Call it inside a transaction."""
    if connection.vendor != "postgresql":
        return True
    return _ask("SELECT pg_try_advisory_xact_lock(%s)", part)


@contextmanager
def leading(part: Part) -> Iterator[bool]:
    """Whether this process leads, inside the block and over many transactions; it ends with the connection at latest.

    For work that waits for others, such as the publisher's. What needs no more than one transaction uses `takes_lead`.
    """
    if connection.vendor != "postgresql":
        yield True
        return
    leads = _ask("SELECT pg_try_advisory_lock(%s)", part)
    try:
        yield leads
    finally:
        # A connection that broke meanwhile has given the lock back already, and a new one must not be asked to.
        if leads and connection.connection is not None and connection.is_usable():
            _ask("SELECT pg_advisory_unlock(%s)", part)


def _ask(sql: str, part: Part) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [int(part)])
        row = cursor.fetchone()
    return bool(row and row[0])
