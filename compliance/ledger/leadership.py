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


class AnotherLeadsError(RuntimeError):
    """Another process does this part at the moment. Nothing was done here, and nothing was looked at."""


def take_lead(part: Part) -> None:
    """Lead until this transaction ends; raises AnotherLeadsError. Call it inside a transaction."""
    if connection.vendor == "postgresql" and not _ask("SELECT pg_try_advisory_xact_lock(%s)", part):
        raise _another_leads(part)


@contextmanager
def leading(part: Part) -> Iterator[None]:
    """Lead inside the block, over many transactions; it ends with the connection at latest. Raises AnotherLeadsError.

    For work that waits for others, such as the publisher's. What needs no more than one transaction uses `take_lead`.
    """
    if connection.vendor != "postgresql":
        yield
        return
    if not _ask("SELECT pg_try_advisory_lock(%s)", part):
        raise _another_leads(part)
    try:
        yield
    finally:
        # A connection that broke meanwhile has given the lock back already, and a new one must not be asked to.
        if connection.connection is not None and connection.is_usable():
            _ask("SELECT pg_advisory_unlock(%s)", part)


def _another_leads(part: Part) -> AnotherLeadsError:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [int(part)])
        row = cursor.fetchone()
    # It may have ended its transaction since.
    holder = "" if row is None else f" (process {row[0]} of the database server)"
    return AnotherLeadsError(f"Another {part.name.lower()}{holder} leads; this one did nothing.")


def _ask(sql: str, part: Part) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [int(part)])
        row = cursor.fetchone()
    return bool(row and row[0])


# How pg_locks shows an advisory lock whose key is one number below 2**32.
_HOLDER = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = %s AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
