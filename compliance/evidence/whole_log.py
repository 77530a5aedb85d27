"""A whole log checked against its checkpoint: every entry hashed, every tile rebuilt, nothing taken on trust.

The root over all entries is computed anew and must be the signed one. The tiles that lie beside the entries must be
those that the entries give, for other tools will read them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import LogContentError, UnexpectedFileError
from compliance.evidence.export_folder import names_in, read_file
from compliance.evidence.merkle import HASH_BYTES, leaf_hash
from compliance.evidence.tile_files import LogFolder, encode_entries, entries_path, is_tile_path, tile_path
from compliance.evidence.tiles import TILE_WIDTH
from compliance.evidence.tree import Tree

# Beside tiles and entries; what lies under earlier/ is read by earlier_heads.py.
_BESIDE = frozenset({"checkpoint", "checkpoint.tsr"})
_EARLIER = "earlier/"


@dataclass(frozen=True)
class WholeLog:
    """A verified log: its leaves in order, and the tree over them."""

    number: int
    head: Checkpoint
    note: bytes
    leaves: list[bytes]
    tree: Tree


def read_whole(number: int, path: Path, note: bytes, head: Checkpoint) -> WholeLog:
    """Read a log and check it against its verified checkpoint; raises LogContentError or UnexpectedFileError."""
    folder = LogFolder(path)
    names = [name for name in names_in(path) if name not in _BESIDE and not name.startswith(_EARLIER)]
    strange = [name for name in names if not is_tile_path(name)]
    if strange:
        raise UnexpectedFileError(f"Nothing accounts for {strange[0]} in the log {head.origin}.")
    leaves = list(folder.entries(head.size))
    if len(leaves) != head.size:
        raise LogContentError(f"The log {head.origin} holds {len(leaves)} entries; {head.size} were signed.")
    tree = Tree(map(leaf_hash, leaves))
    if tree.root() != head.root:
        raise LogContentError(
            f"The {head.size} entries of the log {head.origin} do not have the root that was signed: one was changed."
        )
    for level, index, content in tree.tiles():
        if folder.tile(level, index, len(content) // HASH_BYTES) != content:
            raise LogContentError(
                f"Tile {level}/{index} of the log {head.origin} does not hold the hashes of its entries."
            )
    log = WholeLog(number=number, head=head, note=note, leaves=leaves, tree=tree)
    _refuse_other_files(path, names, log)
    return log


def _refuse_other_files(path: Path, names: Iterable[str], log: WholeLog) -> None:
    """Files that reading the log does not need: a partial one of an earlier size, and nothing that was not signed."""
    held = dict(_held(log))
    others = set(names) - {full_name + _partial(len(items)) for full_name, items in held.items()}
    for name in sorted(others):
        full_name, _, width = name.partition(".p/")
        n_items, items = int(width or TILE_WIDTH), held.get(full_name, ())
        if n_items > len(items):
            raise UnexpectedFileError(f"{name} lies beyond the {log.head.size} entries signed of {log.head.origin}.")
        is_entries = full_name.startswith("tile/entries/")
        expected = encode_entries(items[:n_items]) if is_entries else b"".join(items[:n_items])
        if read_file(path, name) != expected:
            raise LogContentError(f"{name} of the log {log.head.origin} does not begin as the signed log does.")


def _held(log: WholeLog) -> Iterator[tuple[str, Sequence[bytes]]]:
    """What the log holds, hashes or entries, by the path that each file has when it is full."""
    for level, index, hashes in log.tree.tiles():
        yield (
            tile_path(level, index),
            [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)],
        )
    for start in range(0, len(log.leaves), TILE_WIDTH):
        yield entries_path(start // TILE_WIDTH), log.leaves[start : start + TILE_WIDTH]


def _partial(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
