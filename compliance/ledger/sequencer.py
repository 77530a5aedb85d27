"""Gives waiting entries their positions and grows the Merkle tree over them: one writer, gap-free, in batches.

Positions cannot come from a database sequence (a rollback leaves a gap, commits arrive out of order), so the row of
`LogHead` is locked and counts. The batch is one transaction: entries, tiles, head and the emptied outbox, or nothing.

Next: compliance/ledger/checkpointer.py
"""

from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import tiles
from compliance.ledger.models import HashTile, LedgerEntry, LogHead, PendingEntry

BATCH_ENTRIES = 1000


def read_tile(level: int, index: int) -> bytes:
    """The stored hashes of one tile; empty when nothing was written there yet."""
    hashes = HashTile.objects.filter(level=level, index=index).values_list("hashes", flat=True).first()
    return b"" if hashes is None else bytes(hashes)


@transaction.atomic
def sequence_batch(limit: int = BATCH_ENTRIES) -> int:
    """Move up to `limit` entries from the outbox into the log; returns how many.

    Order is that of the outbox ids. Entries of one request are written under the lock of its row, so a later one
    cannot overtake the one it points back to.
    """
    LogHead.objects.get_or_create(pk=1)
    head = LogHead.objects.select_for_update().get(pk=1)
    waiting = list(PendingEntry.objects.order_by("pk")[:limit])
    if not waiting:
        return 0
    now = datetime.now(tz=UTC)
    LedgerEntry.objects.bulk_create(_positioned(entry, head.size + n, now) for n, entry in enumerate(waiting))
    _write_tiles(tiles.append(head.size, [bytes.fromhex(entry.leaf_sha256) for entry in waiting], read_tile))
    head.size += len(waiting)
    head.save(update_fields=["size"])
    PendingEntry.objects.filter(pk__in=[entry.pk for entry in waiting]).delete()
    return len(waiting)


def _positioned(entry: PendingEntry, index: int, now: datetime) -> LedgerEntry:
    return LedgerEntry(
        index=index,
        entry_id=entry.entry_id,
        kind=entry.kind,
        event_type=entry.event_type,
        request_id=entry.request_id,
        subject_id=entry.subject_id,
        leaf=bytes(entry.leaf),
        leaf_sha256=entry.leaf_sha256,
        recorded_at=entry.recorded_at,
        sequenced_at=now,
    )


def _write_tiles(changed: dict[tuple[int, int], bytes]) -> None:
    HashTile.objects.bulk_create(
        [HashTile(level=level, index=index, hashes=hashes) for (level, index), hashes in changed.items()],
        update_conflicts=True,
        unique_fields=["level", "index"],
        update_fields=["hashes"],
    )
