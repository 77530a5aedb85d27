"""Gives waiting entries their positions and grows the Merkle tree over them: one writer, gap-free, in batches.

Positions cannot come from a database sequence (a rollback leaves a gap, commits arrive out of order), so the row of
the log is locked and counts. The batch is one transaction: entries, tiles, size and the emptied outbox, or nothing.

Next: compliance/ledger/checkpointer.py
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from compliance.evidence import tiles
from compliance.evidence.merkle import leaf_hash
from compliance.ledger import hold, leadership, logs
from compliance.ledger.models import EntryKind, HashTile, LedgerEntry, Log, PendingEntry
from compliance.ledger.roles import sqlstate
from compliance.ledger.set_aside import SetAside

BATCH_ENTRIES = 1000
# Two machines that take turns may differ by this much.
CLOCK_DIFFERENCE = timedelta(minutes=5)
_TIMED_OUT = "57014"
# The leaves never leave the database: only their hashes are read.
_MOVE = """
INSERT INTO ledger_ledgerentry
    (position, entry_id, kind, event_type, request_id, subject_id, leaf, leaf_sha256, recorded_at, sequenced_at)
SELECT %s + row_number() OVER (ORDER BY id) - 1,
    entry_id, kind, event_type, request_id, subject_id, leaf, leaf_sha256, recorded_at, %s
FROM ledger_pendingentry WHERE id IN ({ids})
"""
_logger = logging.getLogger(__name__)
# Id and leaf hash of a waiting entry.
_Row = tuple[int, str]


class LogSizeError(RuntimeError):
    """The log holds other entries than its size says. Nothing was changed."""


class ClockError(RuntimeError):
    """The clock of this machine cannot be right, and a new log would be opened by it. Nothing was changed."""


class _RefusedError(Exception):
    """The log does not take one of these rows."""


class Sequencer:
    """What one sequencer remembers between batches: who was set aside, and how many entries the database manages."""

    def __init__(self, *, accepts_clock: bool = False) -> None:
        self.aside = SetAside()
        self._accepts_clock = accepts_clock
        self._limit = BATCH_ENTRIES

    def sequence(self) -> int:
        """One batch, as `sequence_batch`. What the database's time limit cuts off is halved, and grows again slowly."""
        while True:
            try:
                n_entries = sequence_batch(self._limit, self.aside, accepts_clock=self._accepts_clock)
            except OperationalError as error:
                if sqlstate(error) != _TIMED_OUT or self._limit == 1:
                    raise
                self._limit //= 2
                _logger.warning("The database cut off a batch; the next one has %d entries.", self._limit)
                continue
            if n_entries == self._limit:
                self._limit = min(BATCH_ENTRIES, self._limit + self._limit // 8 + 1)
            return n_entries

    def why_waiting(self) -> str | None:
        """Why entries are left that this process does not position, None where none are or new ones have come."""
        if self.aside.ids:
            return f"The log refuses {len(self.aside.ids)} waiting entries, see the log of this process."
        log = logs.newest()
        last = None if log is None else logs.last_checkpoint(log)
        if log is not None and log.frozen_at is not None and (last is None or last.size != log.size):
            return f"The log {log.origin} has ended and is not signed to its end. Run `manage.py checkpointer`."
        return None


@transaction.atomic
def sequence_batch(limit: int = BATCH_ENTRIES, aside: SetAside | None = None, *, accepts_clock: bool = False) -> int:
    """Move up to `limit` entries from the outbox into the newest log; returns how many: 0 when none may go now.

    None may go while a year's log waits for its last checkpoint, before the next one begins. Order is that of the
    outbox ids. Entries of one request are written under the lock of its row, so a later one cannot overtake the one it
    points back to. A row that the log refuses is set aside, and the others go.

    Raises AnotherLeadsError, LedgerHeldError, ClockError unless `accepts_clock`, LogSizeError and TileError.
    """
    leadership.take_lead(leadership.Part.SEQUENCER)
    hold.refuse()
    aside = SetAside() if aside is None else aside
    waiting = list(aside.others().values_list("pk", "leaf_sha256")[:limit])
    if not waiting:
        return 0
    now = datetime.now(tz=UTC)
    log = _writable(now, accepts_clock=accepts_clock)
    if log is None:
        return 0
    moved = _move(waiting, log.end, now, aside)
    if moved:
        _grow(log, [bytes.fromhex(digest) for _, digest in moved])
        PendingEntry.objects.filter(pk__in=[pk for pk, _ in moved]).delete()
    aside.tell()
    return len(moved)


def _move(rows: Sequence[_Row], end: int, now: datetime, aside: SetAside) -> Sequence[_Row]:
    """Give these rows positions from `end` on; returns those that the log took, after halving what it refuses."""
    try:
        with transaction.atomic():
            _insert(rows, end, now)
    except (IntegrityError, DataError, _RefusedError) as error:
        if LedgerEntry.objects.filter(position__gte=end).exists():
            raise LogSizeError(
                f"Expected the last entry before position {end}, found more. The size of the log or its entries were "
                "changed: compare them with the published log."
            ) from error
    else:
        return rows
    if len(rows) == 1:
        aside.add(rows[0][0])
        return []
    first = _move(rows[: len(rows) // 2], end, now, aside)
    allowed = aside.without([pk for pk, _ in rows[len(rows) // 2 :]])
    rest = [row for row in rows[len(rows) // 2 :] if row[0] in allowed]
    return [*first, *_move(rest, end + len(first), now, aside)] if rest else first


def _insert(rows: Sequence[_Row], end: int, now: datetime) -> None:
    try:
        for _, digest in rows:
            bytes.fromhex(digest)
    except ValueError as error:
        raise _RefusedError from error
    with connection.cursor() as cursor:
        placeholders = ", ".join(["%s"] * len(rows))
        cursor.execute(_MOVE.format(ids=placeholders), [end, now, *(pk for pk, _ in rows)])
        if cursor.rowcount != len(rows):
            raise _RefusedError


def _writable(now: datetime, *, accepts_clock: bool) -> Log | None:
    """The locked log that takes entries now; None while the one before it is not signed to its end."""
    log = Log.objects.select_for_update().order_by("-number").first()
    if log is None:
        return logs.open_next(None, now)
    if log.frozen_at is None and log.opened_at.year >= now.year:
        return log
    if not accepts_clock:
        _refuse_clock(log, now)
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


def _refuse_clock(log: Log, now: datetime) -> None:
    """Where a log ends and another one is opened, which is for ever, the time must go on from the newest entry's.

    Not back, and into no year but the same one or the one after: a clock that shows 2099 once would end the log, and
    no year would turn any more until then.
    """
    newest = LedgerEntry.objects.filter(position=log.end - 1).first()
    since = log.opened_at if newest is None else newest.sequenced_at
    if now < since - CLOCK_DIFFERENCE or now.year > since.year + 1:
        raise ClockError(
            f"The clock shows {now:%Y-%m-%d %H:%M} UTC, and the newest entry is of {since:%Y-%m-%d %H:%M}: no log is "
            "ended or opened by such a clock. Set it right; if it is right, run `manage.py sequencer --once "
            "--accept-clock` once."
        )


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
