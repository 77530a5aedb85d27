"""A key is not destroyed while somebody is about to store a row under it.

Whoever wraps holds the keys until the end of the transaction that stores the row; whoever destroys one waits for all
of these, and they for it. On SQLite each transaction that writes waits for the one before it, so there is nothing to
take.
"""

from django.db import connection
from django.db.transaction import TransactionManagementError

# As in ledger/leadership.py: "Ex", "p" and a number.
_LOCK = 0x45787011


def hold_keys() -> None:
    """Keep every key until this transaction ends; raises TransactionManagementError outside one."""
    _take("SELECT pg_advisory_xact_lock_shared(%s)")


def take_keys() -> None:
    """Wait until nobody holds a key, and let nobody hold one until this transaction ends."""
    _take("SELECT pg_advisory_xact_lock(%s)")


def _take(sql: str) -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError(
            "Wrap a key inside the transaction that stores its row: outside, the master key may be destroyed before."
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql, [_LOCK])
            # Where statements go out together (ledger/inserting.py), it is the answer that says that we have it.
            cursor.fetchone()
