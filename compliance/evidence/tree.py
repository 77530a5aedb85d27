"""The whole Merkle tree over a log in memory: every complete node once, so that each of many paths costs a few slices.

64 bytes an entry. For one path out of a stored log, tiles.py reads a few tiles instead.

Source: RFC 6962, section 2.1.
"""

from collections.abc import Iterable
from functools import reduce
from hashlib import sha256

from compliance.evidence.merkle import EMPTY_ROOT, HASH_BYTES, node_hash
from compliance.evidence.tiles import TILE_HEIGHT, TILE_WIDTH

_PAIR_BYTES = 2 * HASH_BYTES


class Tree:
    """Built once from the leaf hashes (32 bytes each), in order."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        self._levels = [b"".join(leaf_hashes)]
        self.size = len(self._levels[0]) // HASH_BYTES
        while len(self._levels[-1]) >= _PAIR_BYTES:
            below = self._levels[-1]
            pairs = range(0, len(below) - len(below) % _PAIR_BYTES, _PAIR_BYTES)
            self._levels.append(b"".join(sha256(b"\x01" + below[at : at + _PAIR_BYTES]).digest() for at in pairs))
        # The roots of the incomplete subtrees at the right edge: few, and asked for by most paths.
        self._edge: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        """MTH over all leaves."""
        return self._range_root(0, self.size) if self.size else EMPTY_ROOT

    def root_at(self, size: int) -> bytes:
        """MTH over the first leaves: the root of the log as it was. Raises IndexError for more leaves than there are."""
        if not 0 <= size <= self.size:
            raise IndexError(f"Expected a size from 0 to {self.size}, found {size}.")
        if not size:
            return EMPTY_ROOT
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        # The complete subtrees from the right to the left, each twice as large or more.
        roots = [self._node(height, (size >> height) - 1) for height in heights]
        return reduce(lambda right, left: node_hash(left, right), roots)

    def leaf(self, index: int) -> bytes:
        """A leaf hash."""
        return self._node(0, index)

    def path(self, index: int) -> list[bytes]:
        """PATH(index, D[size]): siblings from the leaf up. Raises IndexError for an index beyond the log."""
        if not 0 <= index < self.size:
            raise IndexError(f"Expected an index from 0 to {self.size - 1}, found {index}.")
        path, height, last = [], 0, self.size - 1
        while last:
            sibling = index ^ 1
            if sibling < last:
                path.append(self._node(height, sibling))
            elif sibling == last:
                path.append(self._range_root(sibling << height, self.size))
            index, last, height = index >> 1, last >> 1, height + 1
        return path

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile as C2SP tlog-tiles stores it; b"" where there is none."""
        height = TILE_HEIGHT * level
        if height >= len(self._levels):
            return b""
        start = index * TILE_WIDTH * HASH_BYTES
        return self._levels[height][start : start + TILE_WIDTH * HASH_BYTES]

    def tiles(self) -> Iterable[tuple[int, int, bytes]]:
        """All tiles as (level, index, hashes)."""
        for level in range((len(self._levels) - 1) // TILE_HEIGHT + 1):
            n_hashes = len(self._levels[TILE_HEIGHT * level]) // HASH_BYTES
            for index in range((n_hashes + TILE_WIDTH - 1) // TILE_WIDTH):
                yield level, index, self.tile(level, index)

    def _node(self, height: int, index: int) -> bytes:
        return self._levels[height][index * HASH_BYTES : (index + 1) * HASH_BYTES]

    def _range_root(self, low: int, high: int) -> bytes:
        length = high - low
        if length & (length - 1) == 0:
            return self._node(length.bit_length() - 1, low // length)
        if (low, high) not in self._edge:
            middle = low + (1 << ((length - 1).bit_length() - 1))
            self._edge[low, high] = node_hash(self._range_root(low, middle), self._range_root(middle, high))
        return self._edge[low, high]
