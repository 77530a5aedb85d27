"""Writes a log as C2SP tlog-tiles files: entries and tiles first, the checkpoint last, so that no reader finds half a log.

A file that is there is never written again: it must hold what the database gives, byte for byte. What was cut off
half-way is completed by the next call. Entries and tiles are held against the signed root before anybody sees them.
"""

from collections.abc import Iterator
from itertools import count

from compliance.evidence import checkpoint, tile_files, tiles
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import EvidenceError
from compliance.evidence.merkle import HASH_BYTES, leaf_hash, root_of
from compliance.evidence.tiles import TILE_HEIGHT, TILE_WIDTH, TileError
from compliance.ledger import logs
from compliance.ledger.log_store import LogStore
from compliance.ledger.models import HashTile, LedgerEntry, Log, SignedCheckpoint

_ADVICE = (
    " Nothing was published. Was a backup restored, or do two installations publish to one place? Find out which of the "
    "two is right before anything is removed."
)


class LogFilesError(RuntimeError):
    """Database, signed heads and published files do not tell the same history. Nothing is published until a person looked."""


def folder_of(origin: str) -> str:
    """The folder of a log: the last part of its origin, such as 2026."""
    return origin.rpartition("/")[2]


def published(store: LogStore, log: Log) -> Checkpoint | None:
    """The head that is published of a log, None before the first. Raises LogFilesError for another log's, or no head."""
    name = f"{folder_of(log.origin)}/checkpoint"
    try:
        note = store.read(name)
    except FileNotFoundError:
        return None
    try:
        head = checkpoint.parse_body(checkpoint.split_note(note)[0])
    except EvidenceError as error:
        raise LogFilesError(f"{name} is no checkpoint. {error}{_ADVICE}") from error
    if head.origin != log.origin:
        raise LogFilesError(f"{name} is the checkpoint of {head.origin}, expected one of {log.origin}.{_ADVICE}")
    return head


def export(store: LogStore, head: SignedCheckpoint, *, is_whole: bool = False) -> int:
    """Write what the published log lacks of the entries and tiles under a head; returns how many files.

    With `is_whole` every file of the log is compared, otherwise those since the published head. Raises LogFilesError
    when history differs, StoreError when the storage fails.
    """
    log, before = head.log, published(store, head.log)
    _refuse_other_root(log.pk, head.size, bytes.fromhex(head.root_sha256), "the signed checkpoint")
    if before is not None:
        _refuse_other_root(log.pk, before.size, before.root, "the published checkpoint")
    first = 0 if before is None or is_whole else before.size
    if first >= head.size:
        return 0
    folder, n_written = folder_of(log.origin), 0
    for files in (_tiles(log, first, head.size), _bundles(log, first, head.size)):
        for name, content in files:
            n_written += _put(store, f"{folder}/{name}", content)
    for name in _replaced(first, head.size):
        store.remove(f"{folder}/{name}")
    return n_written


def announce(store: LogStore, head: SignedCheckpoint, note: bytes, token: bytes | None) -> bool:
    """Publish the checkpoint of an exported head with its cosignatures, and its time stamp beside it.

    Returns whether anything changed; a newer head that is there already stays. A token is removed before the
    checkpoint that it is not about appears. Raises LogFilesError, StoreError.
    """
    before = published(store, head.log)
    if before is not None and before.size > head.size:
        return False
    folder = folder_of(head.log.origin)
    name, token_name = f"{folder}/checkpoint", f"{folder}/checkpoint.tsr"
    shown, shown_token = _content(store, name), _content(store, token_name)
    if shown_token is not None and shown_token != token:
        store.remove(token_name)
    if shown != note:
        store.write(name, note)
    if token is not None and shown_token != token:
        store.write(token_name, token)
    return shown != note or shown_token != token


def _tiles(log: Log, first: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Path and content of each tile that differs between two sizes, the lowest level first."""
    for level in count():
        n_hashes = size >> (TILE_HEIGHT * level)
        if not n_hashes:
            return
        low, high = (first >> (TILE_HEIGHT * level)) // TILE_WIDTH, (n_hashes - 1) // TILE_WIDTH
        rows = HashTile.objects.filter(log=log, level=level, index__range=(low, high)).order_by("index")
        expected = low
        for index, stored in rows.values_list("index", "hashes").iterator(chunk_size=256):
            width = tile_files.width_at(size, level, index)
            content = bytes(stored)[: width * HASH_BYTES]
            if index != expected or len(content) != width * HASH_BYTES:
                break
            expected += 1
            if width == TILE_WIDTH:
                _refuse_other_parent(log, level, index, content)
            yield tile_files.tile_path(level, index, width), content
        if expected != high + 1:
            raise LogFilesError(
                f"Tile {level}/{expected} of the log {log.origin} is not whole in the database.{_ADVICE}"
            )


def _bundles(log: Log, first: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Path and content of each bundle of entries that differs between two sizes."""
    read_tile = logs.reader(log)
    for index in range(first // TILE_WIDTH, (size - 1) // TILE_WIDTH + 1):
        width, low = tile_files.width_at(size, 0, index), log.first_position + index * TILE_WIDTH
        rows = LedgerEntry.objects.filter(position__range=(low, low + width - 1)).order_by("position")
        leaves = [bytes(leaf) for leaf in rows.values_list("leaf", flat=True)]
        if b"".join(map(leaf_hash, leaves)) != read_tile(0, index)[: width * HASH_BYTES]:
            raise LogFilesError(
                f"The entries {low} to {low + width - 1} of the database do not have the hashes that were signed: one "
                f"was changed or removed.{_ADVICE}"
            )
        yield tile_files.entries_path(index, width), tile_files.encode_entries(leaves)


def _replaced(first: int, size: int) -> Iterator[str]:
    """The folders of partial files in whose place the full file has come since `first`."""
    for level in count():
        n_full = (size >> (TILE_HEIGHT * level)) // TILE_WIDTH
        if not n_full:
            return
        for index in range((first >> (TILE_HEIGHT * level)) // TILE_WIDTH, n_full):
            yield f"{tile_files.tile_path(level, index)}.p"
            if level == 0:
                yield f"{tile_files.entries_path(index)}.p"


def _put(store: LogStore, name: str, content: bytes) -> int:
    stored = _content(store, name)
    if stored is None:
        store.write(name, content)
        return 1
    if stored != content:
        raise LogFilesError(f"The published file {name} does not hold what the database gives.{_ADVICE}")
    return 0


def _content(store: LogStore, name: str) -> bytes | None:
    try:
        return store.read(name)
    except FileNotFoundError:
        return None


def _refuse_other_root(number: int, size: int, root: bytes, what: str) -> None:
    # Read anew: another publisher may have published what was signed a moment ago.
    log = Log.objects.get(pk=number)
    if log.size < size:
        raise LogFilesError(
            f"{what.capitalize()} of {log.origin} is over {size} entries; {log.size} are there.{_ADVICE}"
        )
    try:
        found = tiles.root(size, logs.reader(log))
    except TileError as error:
        raise LogFilesError(f"The tiles of {log.origin} are not whole in the database. {error}{_ADVICE}") from error
    if found != root:
        raise LogFilesError(f"The first {size} entries of {log.origin} do not have the root of {what}.{_ADVICE}")


def _refuse_other_parent(log: Log, level: int, index: int, content: bytes) -> None:
    """The hash over a full tile stands one level up; only so does the signed root speak of every hash in it."""
    hashes = [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
    tile, offset = divmod(index, TILE_WIDTH)
    above = logs.reader(log)(level + 1, tile)
    if above[offset * HASH_BYTES : (offset + 1) * HASH_BYTES] != root_of(hashes):
        raise LogFilesError(f"Tile {level}/{index} of the log {log.origin} was changed in the database.{_ADVICE}")
