"""Tiles against the slow twin, at and around the sizes where a level begins; and how many tiles a proof reads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import merkle, tiles
from compliance.evidence.tiles import TileError

from . import rfc6962


class Store:
    """Tiles in a dictionary, counting reads."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.n_reads = 0

    def read(self, level: int, index: int) -> bytes:
        self.n_reads += 1
        return self.tiles.get((level, index), b"")

    def append(self, leaves: list[bytes]) -> None:
        self.tiles |= tiles.append(self.size, leaves, self.read)
        self.size += len(leaves)


def hashes(size: int, start: int = 0) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(start, start + size)]


def store_of(leaves: list[bytes], *cuts: int) -> Store:
    store = Store()
    for low, high in zip([0, *cuts], [*cuts, len(leaves)], strict=True):
        store.append(leaves[low:high])
    return store


# One level of tiles is complete at 256, two at 65536.
LARGE = hashes(65_536 + 300)
LARGE_STORE = store_of(LARGE, 1000, 65_000, 65_536)


def test_tiles_that_hold_less_than_the_head_says_are_refused() -> None:
    store = store_of(hashes(10))
    with pytest.raises(TileError, match="Head and tiles disagree"):
        tiles.append(11, hashes(1), store.read)


def test_tiles_that_hold_more_than_the_head_says_are_refused() -> None:
    store = store_of(hashes(10))
    with pytest.raises(TileError, match="Head and tiles disagree"):
        tiles.append(9, hashes(1), store.read)


def test_a_root_beyond_the_log_is_refused() -> None:
    with pytest.raises(TileError, match="shorter than asked"):
        tiles.root(11, store_of(hashes(10)).read)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, -1)])
def test_a_proof_of_no_entry_is_refused(index: int, size: int) -> None:
    with pytest.raises(TileError):
        tiles.inclusion_path(index, size, store_of(hashes(10)).read)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (1, -1)])
def test_a_consistency_proof_of_impossible_sizes_is_refused(old: int, new: int) -> None:
    with pytest.raises(TileError):
        tiles.consistency_path(old, new, store_of(hashes(10)).read)


def test_leaf_hashes_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(TileError, match="32 bytes"):
        tiles.append(0, [b"leaf"], Store().read)


def test_appending_nothing_changes_nothing() -> None:
    assert tiles.append(7, [], store_of(hashes(7)).read) == {}


def test_an_empty_log_has_the_empty_root() -> None:
    assert tiles.root(0, Store().read) == merkle.EMPTY_ROOT


def test_a_full_tile_puts_its_root_on_the_next_level() -> None:
    store = store_of(hashes(256))
    assert set(store.tiles) == {(0, 0), (1, 0)}
    assert store.tiles[1, 0] == rfc6962.root_of(hashes(256))


@settings(max_examples=60)
@given(st.data())
def test_root_and_proofs_equal_those_of_the_slow_twin_however_the_log_grew(data: st.DataObject) -> None:
    size = data.draw(
        st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513]), st.integers(1, 700))
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=4)))
    leaves = hashes(size)
    store = store_of(leaves, *cuts)
    earlier = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, earlier - 1))
    assert tiles.root(earlier, store.read) == rfc6962.root_of(leaves[:earlier])
    assert tiles.inclusion_path(index, earlier, store.read) == rfc6962.inclusion_path(index, leaves[:earlier])
    assert tiles.consistency_path(earlier, size, store.read) == rfc6962.consistency_path(earlier, leaves)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_536 + 300])
def test_proofs_across_the_third_level_verify_and_read_few_tiles(size: int) -> None:
    root = merkle.root_of(LARGE[:size])
    assert tiles.root(size, LARGE_STORE.read) == root
    for index in (0, 255, 256, 40_000, size - 1):
        LARGE_STORE.n_reads = 0
        path = tiles.inclusion_path(index, size, LARGE_STORE.read)
        # At most three tiles a level on the way down, whatever the size: two levels hold 65536 leaves.
        assert LARGE_STORE.n_reads <= 9
        merkle.verify_inclusion(LARGE[index], index, size, path, root)
    for old in (1, 256, 300, 40_000, 65_535):
        path = tiles.consistency_path(old, size, LARGE_STORE.read)
        merkle.verify_consistency(old, size, path, merkle.root_of(LARGE[:old]), root)
