"""The same tree kept as C2SP tlog-tiles, so that a log of any size grows and proves with few reads.

Tile (level L, index N) holds up to 256 hashes of 32 bytes: the nodes 256·N … 256·N + 255 at height 8·L. A hash stands
on level L + 1 as soon as the 256 below it are complete. This file does arithmetic alone: storage is a callable
`read_tile(level, index)` that returns the stored bytes, or b"" where nothing was written yet.

Source: https://c2sp.org/tlog-tiles and RFC 6962, section 2.1.
"""

from collections.abc import Callable, Sequence

from compliance.evidence.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_of

TILE_WIDTH = 256
TILE_HEIGHT = 8
ReadTile = Callable[[int, int], bytes]


class TileError(ValueError):
    """Stored tiles do not fit the size of the log, or a position lies outside the log."""


def append(size: int, leaf_hashes: Sequence[bytes], read_tile: ReadTile) -> dict[tuple[int, int], bytes]:
    """The tiles to write when these leaf hashes follow the first `size` ones: {(level, index): new content}.

    Every changed tile of every level is in the result, whole. Raises TileError when the stored tiles hold another
    number of hashes than `size` implies: then head and tiles disagree and nothing must be written.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, start, hashes = 0, _checked_size(size), list(leaf_hashes)
    for leaf in hashes:
        if len(leaf) != HASH_BYTES:
            raise TileError(f"Expected leaf hashes of {HASH_BYTES} bytes, found one of {len(leaf)}.")
    while hashes:
        index, n_before = divmod(start, TILE_WIDTH)
        stored = read_tile(level, index) if n_before else b""
        if len(stored) != n_before * HASH_BYTES:
            raise TileError(
                f"Tile {level}/{index} should hold {n_before} hashes at log size {size}, found {len(stored)} bytes. "
                "Head and tiles disagree: one of the two was changed. Compare them with the published log."
            )
        hashes = _fill(level, index, _split(stored) + hashes, changed)
        level, start = level + 1, start // TILE_WIDTH
    return changed


def _fill(level: int, index: int, hashes: list[bytes], changed: dict[tuple[int, int], bytes]) -> list[bytes]:
    """Cut hashes into tiles from `index` on; returns the roots of the full ones, which go one level up."""
    roots = []
    for offset in range(0, len(hashes), TILE_WIDTH):
        tile = hashes[offset : offset + TILE_WIDTH]
        changed[level, index + offset // TILE_WIDTH] = b"".join(tile)
        if len(tile) == TILE_WIDTH:
            roots.append(root_of(tile))
    return roots


def root(size: int, read_tile: ReadTile) -> bytes:
    """The root over the first `size` leaves; the log may have grown since."""
    if _checked_size(size) == 0:
        return EMPTY_ROOT
    return _Reader(read_tile).range_root(0, size)


def inclusion_path(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962, section 2.1.1: siblings from the leaf up."""
    if not 0 <= index < _checked_size(size):
        raise TileError(f"Expected an index from 0 to {size - 1} in a log of {size} entries, found {index}.")
    reader, low, high = _Reader(read_tile), 0, size
    path: list[bytes] = []
    while high - low > 1:
        middle = low + _split_point(high - low)
        if index < middle:
            path.append(reader.range_root(middle, high))
            high = middle
        else:
            path.append(reader.range_root(low, middle))
            low = middle
    return path[::-1]


def consistency_path(old: int, new: int, read_tile: ReadTile) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962, section 2.1.2; empty when the sizes are equal."""
    if not 0 < old <= _checked_size(new):
        raise TileError(f"Expected 0 < old size <= new size, found {old} and {new}.")
    reader, low, high = _Reader(read_tile), 0, new
    path: list[bytes] = []
    while high != old:
        middle = low + _split_point(high - low)
        if old <= middle:
            path.append(reader.range_root(middle, high))
            high = middle
        else:
            path.append(reader.range_root(low, middle))
            low = middle
    if low:
        # The old tree ends inside: its last complete subtree is not known to the verifier and comes along.
        path.append(reader.range_root(low, high))
    return path[::-1]


class _Reader:
    """Subtree roots out of tiles; each tile is read once."""

    def __init__(self, read_tile: ReadTile) -> None:
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], bytes] = {}

    def range_root(self, low: int, high: int) -> bytes:
        """MTH(D[low:high]); `low` is a multiple of the largest power of two below the length, as in all RFC splits."""
        length = high - low
        if length & (length - 1) == 0:
            return self._node(length.bit_length() - 1, low // length)
        middle = low + _split_point(length)
        return node_hash(self.range_root(low, middle), self.range_root(middle, high))

    def _node(self, height: int, index: int) -> bytes:
        """The root of the complete subtree number `index` of 2**height leaves."""
        level, above = divmod(height, TILE_HEIGHT)
        width = 1 << above
        tile, offset = divmod(index * width, TILE_WIDTH)
        hashes = self._tile(level, tile)[offset * HASH_BYTES : (offset + width) * HASH_BYTES]
        if len(hashes) != width * HASH_BYTES:
            raise TileError(
                f"Tile {level}/{tile} should hold hashes {offset} to {offset + width - 1}, found fewer. "
                "The log is shorter than asked, or its tiles are damaged."
            )
        return root_of(_split(hashes))

    def _tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._tiles:
            self._tiles[key] = self._read_tile(level, index)
        return self._tiles[key]


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def _split_point(length: int) -> int:
    """The largest power of two below `length` (length > 1)."""
    return 1 << ((length - 1).bit_length() - 1)


def _checked_size(size: int) -> int:
    if size < 0:
        raise TileError(f"Expected a log size of 0 or more, found {size}.")
    return size
