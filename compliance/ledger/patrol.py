"""Walks along the stored log and holds entries against the tree, a bundle of 256 a step, round after round.

The next checkpoint is computed from the upper levels and the right edge of the tree. An entry that was changed further
to the left, or a tile between, would not be noticed by it, only by whoever verifies an export. Here it is.
"""

import secrets

from compliance.evidence import tile_files
from compliance.evidence.merkle import HASH_BYTES, leaf_hash, root_of
from compliance.evidence.tiles import TILE_WIDTH
from compliance.ledger import logs, outsiders
from compliance.ledger.models import LedgerEntry, Log, Outsider

NAME = "stored log"
_ADVICE = (
    " The table was changed. Compare it with the published log, and find out who could write to it; an export of the "
    "ledger does not verify until what was there is restored from a backup."
)


class ChangedLogError(RuntimeError):
    """Entries and tree of the database do not belong together."""


class Patrol:
    """Where one process is on its way; it begins anywhere, so that processes that live shortly see everything in time."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._n_clean = 0

    def walk(self, *, is_whole: bool = False) -> None:
        """One bundle, or with `is_whole` all of them. A difference is an alarm, which stays until a round finds none."""
        logs_now = list(Log.objects.order_by("number"))
        n_bundles = sum(map(_n_bundles, logs_now))
        # After an alarm one minute is quiet.
        if not n_bundles or not (is_whole or outsiders.may_be_asked(NAME)):
            return
        for _ in range(n_bundles if is_whole else 1):
            number = (secrets.randbelow(n_bundles) if self._next is None else self._next) % n_bundles
            self._next = number + 1
            self._look_at(number, logs_now)
            if self._n_clean >= n_bundles:
                self._n_clean = 0
                _all_clear()

    def _look_at(self, number: int, logs_now: list[Log]) -> None:
        """Check the bundle with this number over all logs."""
        for log in logs_now:
            if number < _n_bundles(log):
                break
            number -= _n_bundles(log)
        try:
            check_bundle(log, number)
        except ChangedLogError as error:
            outsiders.raised_alarm(NAME, str(error))
            self._n_clean = 0
        else:
            self._n_clean += 1


def check_bundle(log: Log, index: int) -> None:
    """Hold up to 256 entries against their tile, and each full tile above them against the one over it.

    `log` gives the size to look at; it may have grown since. Raises ChangedLogError.
    """
    width, low = tile_files.width_at(log.size, 0, index), log.first_position + index * TILE_WIDTH
    rows = LedgerEntry.objects.filter(position__range=(low, low + width - 1)).order_by("position")
    hashes = []
    for position, leaf, leaf_sha256 in rows.values_list("position", "leaf", "leaf_sha256"):
        hashes.append(leaf_hash(bytes(leaf)))
        if position != low + len(hashes) - 1 or hashes[-1].hex() != leaf_sha256:
            raise ChangedLogError(f"Entry {position} of the database does not have its hash, or its place.{_ADVICE}")
    read_tile = logs.reader(log)
    if b"".join(hashes) != read_tile(0, index)[: width * HASH_BYTES]:
        raise ChangedLogError(
            f"The entries {low} to {low + width - 1} of the database do not have the hashes in its tree.{_ADVICE}"
        )
    level = 0
    while width == TILE_WIDTH:
        root, level, (index, offset) = root_of(hashes), level + 1, divmod(index, TILE_WIDTH)
        above = read_tile(level, index)
        if above[offset * HASH_BYTES : (offset + 1) * HASH_BYTES] != root:
            raise ChangedLogError(f"Tile {level}/{index} of {log.origin} does not fit the one below.{_ADVICE}")
        width = tile_files.width_at(log.size, level, index)
        hashes = [above[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def _n_bundles(log: Log) -> int:
    return (log.size + TILE_WIDTH - 1) // TILE_WIDTH


def _all_clear() -> None:
    # Without an alarm there is nothing to take back, and nothing to write.
    if Outsider.objects.filter(name=NAME).exists():
        outsiders.succeeded(NAME)
