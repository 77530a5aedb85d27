"""Entries that a restored database lacks come back from the published log: same leaves, same positions, same tree.

Only so can the ledger go on after a restore: their heads are signed and seen by others. Rows of the outbox that were
given a position since the backup move to it, or they would be given a second one.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import leaf as leaves
from compliance.evidence import tiles
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.tree import Tree
from compliance.ledger import leadership, logs
from compliance.ledger.models import EntryKind, HashTile, LedgerEntry, Log, PendingEntry
from compliance.ledger.published_logs import PublishedLog, PublishedLogError

BATCH_ROWS = 1000
#: Of signed evidence the leaf does not say whose it is, and the row that did is lost.
UNKNOWN_REQUEST = uuid.UUID(int=0)


@dataclass(frozen=True)
class _Waiting:
    """An entry that is to be written, and the index that it has in its log."""

    index: int
    leaf: bytes
    sha256: bytes


@transaction.atomic
def restore(published: Sequence[PublishedLog]) -> int:
    """Write what is missing; how many entries. A second call finds nothing missing.

    Raises PublishedLogError where database and published log do not tell one history, or where a request that has
    missing entries was written on since the restore; AnotherLeadsError while a sequencer is at work.
    """
    leadership.take_lead(leadership.Part.SEQUENCER)
    n_entries = 0
    for log in published:
        row = _row_of(log)
        missing = list(_missing(log, row))
        if missing:
            _write(row, missing, _taken_from_outbox(missing))
        n_entries += len(missing)
    return n_entries


def _row_of(log: PublishedLog) -> Log:
    row = Log.objects.select_for_update().filter(number=log.number).first()
    if row is None:
        before = logs.newest()
        if before is not None and before.frozen_at is None:
            logs.freeze()
        first = _event_of(log.leaves[0])
        return Log.objects.create(
            number=log.number,
            origin=log.head.origin,
            first_position=0 if before is None else before.end,
            opened_at=datetime.now(tz=UTC) if first is None else first.at,
        )
    if row.origin != log.head.origin:
        raise PublishedLogError(
            f"Log {log.number} is {row.origin} here, and {log.head.origin} in the published folder."
        )
    return row


def _missing(log: PublishedLog, row: Log) -> Iterator[_Waiting]:
    hashes = [leaf_hash(leaf) for leaf in log.leaves]
    n_common = min(row.size, log.head.size)
    if tiles.root(n_common, logs.reader(row)) != Tree(hashes[:n_common]).root():
        raise PublishedLogError(
            f"The first {n_common} entries of {row.origin} are others in the database than in the published log. "
            "Nothing was written: find out which of the two histories is right."
        )
    for index in range(n_common, log.head.size):
        yield _Waiting(index, log.leaves[index], hashes[index])


def _taken_from_outbox(missing: Sequence[_Waiting]) -> dict[str, PendingEntry]:
    """Rows that are entries by now leave the outbox; they know more than a leaf says. By leaf hash (hex).

    Any other row of the same requests points to the wrong predecessor: raises PublishedLogError.
    """
    taken = {}
    digests = {entry.sha256.hex() for entry in missing}
    events = (_event_of(entry.leaf) for entry in missing)
    requests = {event.request for event in events if event is not None and event.request is not None}
    for row in PendingEntry.objects.all():
        if row.leaf_sha256 in digests:
            taken[row.leaf_sha256] = row
        elif str(row.request_id) in requests:
            raise PublishedLogError(
                f"The request {row.request_id} was written on since the restore, and its missing entries are in the "
                "published log. Restore once more, and run this before any other process is started."
            )
    PendingEntry.objects.filter(pk__in=[row.pk for row in taken.values()]).delete()
    return taken


def _write(row: Log, missing: Sequence[_Waiting], waited: Mapping[str, PendingEntry]) -> None:
    now, at = datetime.now(tz=UTC), row.opened_at
    entries = []
    for entry in missing:
        event = _event_of(entry.leaf)
        at = at if event is None else event.at
        entries.append(_entry(row, entry, event, recorded_at=at, sequenced_at=now))
        if entry.sha256.hex() in waited:
            _take_over(entries[-1], waited[entry.sha256.hex()])
    LedgerEntry.objects.bulk_create(entries, batch_size=BATCH_ROWS)
    grown = tiles.append(row.size, [entry.sha256 for entry in missing], logs.reader(row))
    HashTile.objects.bulk_create(
        [HashTile(log=row, level=level, index=index, hashes=hashes) for (level, index), hashes in grown.items()],
        update_conflicts=True,
        unique_fields=["log", "level", "index"],
        update_fields=["hashes"],
    )
    row.size += len(missing)
    row.save(update_fields=["size"])


def _entry(
    row: Log, entry: _Waiting, event: leaves.Event | None, *, recorded_at: datetime, sequenced_at: datetime
) -> LedgerEntry:
    subject = None if event is None or event.request is not None else event.facts.get("model")
    request = UNKNOWN_REQUEST if event is None else event.request and uuid.UUID(event.request)
    return LedgerEntry(
        position=row.first_position + entry.index,
        entry_id=uuid.uuid4(),
        kind=EntryKind.EVIDENCE if event is None else EntryKind.EVENT,
        event_type="evidence.attached" if event is None else event.type,
        request_id=request,
        subject_id=None if subject is None else uuid.UUID(str(subject)),
        leaf=entry.leaf,
        leaf_sha256=entry.sha256.hex(),
        recorded_at=recorded_at,
        sequenced_at=sequenced_at,
    )


def _take_over(entry: LedgerEntry, waited: PendingEntry) -> None:
    """What others know the entry by, and whose evidence it is."""
    entry.entry_id, entry.request_id, entry.subject_id = waited.entry_id, waited.request_id, waited.subject_id
    entry.recorded_at = waited.recorded_at


def _event_of(leaf: bytes) -> leaves.Event | None:
    """The event, or None for signed evidence; raises LeafError."""
    return None if leaf.startswith(b'{"apiVersion":') else leaves.parse(leaf)
