"""Gives waiting entries their positions and grows the Merkle tree over them: one writer, gap-free, in batches.

Positions cannot come from a database sequence (a rollback leaves a gap, commits arrive out of order), so the row of
the log is locked and counts. The batch is one transaction: entries, tiles, size and the emptied outbox, or nothing.

Next: compliance/ledger/checkpointer.py
"""

import uuid
from datetime import UTC, datetime

from django.db import connection, transaction

from compliance.evidence import tiles
from compliance.evidence.merkle import leaf_hash
from compliance.ledger import leadership, logs
from compliance.ledger.models import EntryKind, HashTile, LedgerEntry, Log, PendingEntry

BATCH_ENTRIES = 1000
# The leaves never leave the database: only their hashes are read.
_MOVE = """
INSERT INTO ledger_ledgerentry
    (position, entry_id, kind, event_type, request_id, subject_id, leaf, leaf_sha256, recorded_at, sequenced_at)
SELECT %s + row_number() OVER (ORDER BY id) - 1,
    entry_id, kind, event_type, request_id, subject_id, leaf, leaf_sha256, recorded_at, %s
FROM ledger_pendingentry WHERE id IN ({ids})
"""


@transaction.atomic
def sequence_batch(limit: int = BATCH_ENTRIES) -> int:
    """Move up to `limit` entries from the outbox into the newest log; returns how many.

    Order is that of the outbox ids. Entries of one request are written under the lock of its row, so a later one
    cannot overtake the one it points back to. Returns 0 also while another process leads, and while a year's log
    waits for its last checkpoint before the next one begins.
    """
    if not leadership.takes_lead(leadership.Part.SEQUENCER):
        return 0
    waiting = list(PendingEntry.objects.order_by("pk").values_list("pk", "leaf_sha256")[:limit])
    if not waiting:
        return 0
    now = datetime.now(tz=UTC)
    log = _writable(now)
    if log is None:
        return 0
    ids = [pk for pk, _ in waiting]
    with connection.cursor() as cursor:
        placeholders = ", ".join(["%s"] * len(ids))
        cursor.execute(_MOVE.format(ids=placeholders), [log.end, now, *ids])
        if cursor.rowcount != len(ids):
            raise RuntimeError(f"Expected to move {len(ids)} entries, moved {cursor.rowcount}. Nothing was changed.")
    _grow(log, [bytes.fromhex(digest) for _, digest in waiting])
    PendingEntry.objects.filter(pk__in=ids).delete()
    return len(ids)


def _writable(now: datetime) -> Log | None:
    """The locked log that takes entries now; None while the one before it is not signed to its end."""
    log = Log.objects.select_for_update().order_by("-number").first()
    if log is None:
        return logs.open_next(None, now)
    if log.frozen_at is None and log.opened_at.year >= now.year:
        return log
    if log.frozen_at is None:
        logs.freeze()
    last = logs.last_checkpoint(log)
    if last is None or last.size != log.size:
        return None
    following = logs.open_next(log, now)
    leaf = logs.opening_leaf(following, last, now)
    digest = leaf_hash(leaf)
    LedgerEntry.objects.create(
        position=following.first_position,
        entry_id=uuid.uuid4(),
        kind=EntryKind.EVENT,
        event_type="log.opened",
        leaf=leaf,
        leaf_sha256=digest.hex(),
        recorded_at=now,
        sequenced_at=now,
    )
    _grow(following, [digest])
    return following


def _grow(log: Log, leaf_hashes: list[bytes]) -> None:
    changed = tiles.append(log.size, leaf_hashes, logs.reader(log))
    HashTile.objects.bulk_create(
        [HashTile(log=log, level=level, index=index, hashes=hashes) for (level, index), hashes in changed.items()],
        update_conflicts=True,
        unique_fields=["log", "level", "index"],
        update_fields=["hashes"],
    )
    log.size += len(leaf_hashes)
    log.save(update_fields=["size"])
