"""A ledger of any length, quickly: entries without a story, positioned and signed by the ledger's own code."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from compliance.ledger import append_only, keys, one_way
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import latest, sign_checkpoint
from compliance.ledger.models import LedgerEntry, PendingEntry, SignedCheckpoint
from compliance.ledger.record import record_event
from compliance.ledger.sequencer import sequence_batch


def write(n_entries: int, first: int | None = None) -> None:
    """Waiting entries, each with another leaf, numbered from `first` or from the number of entries there are."""
    first = PendingEntry.objects.count() + LedgerEntry.objects.count() if first is None else first
    with transaction.atomic():
        for number in range(first, first + n_entries):
            facts = {"purpose": "evidence", "key_sha256": f"{number:064x}"}
            record_event("key.published", actor=SYSTEM, facts=facts)


def position_all() -> None:
    """What the sequencer does until nothing waits."""
    while sequence_batch():
        pass


def grow_to(size: int) -> SignedCheckpoint:
    """The ledger with this many entries in all, signed; the key's own entry is among them."""
    keys.create_missing()
    if latest() is None:
        write(1)
        position_all()
        sign_checkpoint()
    position_all()
    n_more = size - LedgerEntry.objects.count()
    assert n_more >= 0, "the ledger is longer already"
    write(n_more)
    position_all()
    sign_checkpoint()
    head = latest()
    assert head is not None and head.end == size
    return head


@contextmanager
def as_owner() -> Iterator[None]:
    """Inside the block the tables can be changed, as by somebody with the rights of their owner."""
    # PostgreSQL alters no table while constraints of this transaction wait to be checked.
    connection.check_constraints()
    append_only.execute(connection, append_only.remove_statements(connection.vendor))
    one_way.remove(connection)
    yield
    connection.check_constraints()
    append_only.execute(connection, append_only.install_statements(connection.vendor))
    one_way.install(connection)
