"""Nobody is erased and trained on at the same moment: whoever completes a request keeps models from being registered
until its transaction ends, and whoever registers one looks for erased people after that.

So one of the two sees the other: the registration sees the token, and is refused; or the signature sees the model, and
asks for a new approval. On SQLite each transaction that writes waits for the one before it, so there is nothing to take.

The order of locks: compliance/requests/transitions.py.
"""

from django.db import connection
from django.db.transaction import TransactionManagementError

# As in vault/switching.py: "Ex", "p" and a number.
_LOCK = 0x45787012


def hold_registrations() -> None:
    """Let no model be registered until this transaction ends; raises TransactionManagementError outside one."""
    _take("SELECT pg_advisory_xact_lock_shared(%s)")


def take_registrations() -> None:
    """Wait until nobody is about to be erased, and let nobody be until this transaction ends.

    Take it last, when all that is left is to look and to commit: signatures wait for it.
    """
    _take("SELECT pg_advisory_xact_lock(%s)")


def _take(sql: str) -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError(
            "Hold or take registrations inside the transaction that erases or registers: outside, the lock is gone at once."
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql, [_LOCK])
            # Where statements go out together (ledger/inserting.py), it is the answer that says that we have it.
            cursor.fetchone()
