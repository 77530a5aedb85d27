"""The row of logs: one tree a year, each beginning with the head of the one before it.

Yearly logs let the oldest be deleted as a whole when nobody may need it any longer, and give a new key a place to
begin. An entry has a position over all logs, and an index in its own.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from compliance.evidence import leaf as leaves
from compliance.evidence.tiles import ReadTile
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import HashTile, Log, SignedCheckpoint


def newest() -> Log | None:
    """The log with the highest number."""
    return Log.objects.order_by("-number").first()


def holding(position: int) -> Log:
    """The log in which this position lies; raises Log.DoesNotExist before the first entry."""
    return Log.objects.filter(first_position__lte=position).order_by("-number")[:1].get()


def reader(log: Log) -> ReadTile:
    """Reads stored tiles of one log; b"" where nothing was written yet."""

    def read_tile(level: int, index: int) -> bytes:
        tiles = HashTile.objects.filter(log=log, level=level, index=index)
        hashes = tiles.values_list("hashes", flat=True).first()
        return b"" if hashes is None else bytes(hashes)

    return read_tile


def last_checkpoint(log: Log) -> SignedCheckpoint | None:
    """The checkpoint of this log that covers most entries."""
    return log.checkpoints.order_by("-end").first()


@transaction.atomic
def freeze() -> Log | None:
    """End the newest log: no entry follows, and the next one begins when its last checkpoint is signed."""
    log = Log.objects.select_for_update().order_by("-number").first()
    if log is not None and log.frozen_at is None:
        log.frozen_at = datetime.now(tz=UTC)
        log.save(update_fields=["frozen_at"])
    return log


@transaction.atomic
def end_for_other_key() -> Log | None:
    """End the newest log, and say that the next one needs another key. Repeating it changes nothing.

    Returns the log that ends. None when no log has to: before the first one, and where the newest has no checkpoint
    yet, so that it goes on and begins under the other key itself.
    """
    log = Log.objects.select_for_update().order_by("-number").first()
    if log is None:
        return None
    if not log.checkpoints.exists():
        Log.objects.filter(number=log.number - 1).update(needs_other_key=True)
        return None
    if log.frozen_at is None:
        log.frozen_at = datetime.now(tz=UTC)
    log.needs_other_key = True
    log.save(update_fields=["frozen_at", "needs_other_key"])
    return log


def open_next(before: Log | None, now: datetime) -> Log:
    """Make the row of the next log, still empty. The caller holds the lead and writes the first entry."""
    number, end = (1, 0) if before is None else (before.number + 1, before.end)
    year = f"{settings.LEDGER_ORIGIN}/{now.year}"
    n_earlier = Log.objects.filter(origin__startswith=year).count()
    origin = year if n_earlier == 0 else f"{year}-{n_earlier + 1}"
    return Log.objects.create(number=number, origin=origin, first_position=end, opened_at=now)


def opening_leaf(log: Log, last: SignedCheckpoint, now: datetime) -> bytes:
    """The first leaf of every log but the first: the head that the log before it ended with."""
    return leaves.build(
        leaves.Event(
            type="log.opened",
            request=None,
            previous=None,
            at=now.replace(microsecond=0),
            actor_role=SYSTEM.role.value,
            actor_id=str(SYSTEM.id),
            facts={"log": log.number, "previous_size": last.size, "previous_root_sha256": last.root_sha256},
        )
    )
