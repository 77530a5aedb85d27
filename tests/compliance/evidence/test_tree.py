"""The tree in memory against the slow twin, against the stored tiles, and at the sizes where a level begins."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import merkle, tiles
from compliance.evidence.merkle import EMPTY_ROOT, HASH_BYTES
from compliance.evidence.tree import Tree

from . import rfc6962

EDGES = (1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537)
LEAVES = [sha256(b"%d" % number).digest() for number in range(max(EDGES))]


def stored_tiles(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    return tiles.append(0, leaves, lambda level, index: b"")


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (10**6, 5)])
def test_a_path_of_no_entry_is_refused(index: int, size: int) -> None:
    with pytest.raises(IndexError, match="Expected an index"):
        Tree(LEAVES[:size]).path(index)


def test_an_empty_tree_has_the_empty_root_and_no_tile() -> None:
    tree = Tree([])
    assert (tree.size, tree.root()) == (0, EMPTY_ROOT)
    assert [content for _, _, content in tree.tiles() if content] == []


def test_the_path_of_an_only_leaf_is_empty() -> None:
    tree = Tree(LEAVES[:1])
    assert (tree.root(), tree.path(0), tree.leaf(0)) == (LEAVES[0], [], LEAVES[0])


@settings(max_examples=80)
@given(st.data())
def test_root_and_paths_equal_those_of_the_slow_twin(data: st.DataObject) -> None:
    leaves = data.draw(st.lists(st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES), min_size=1, max_size=70))
    tree = Tree(iter(leaves))
    assert tree.size == len(leaves)
    assert tree.root() == rfc6962.root_of(leaves)
    for index in range(len(leaves)):
        assert tree.leaf(index) == leaves[index]
        assert tree.path(index) == rfc6962.inclusion_path(index, leaves)


@settings(max_examples=40)
@given(st.data())
def test_root_paths_and_tiles_equal_those_of_the_stored_log(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1500))
    leaves = LEAVES[:size]
    stored = stored_tiles(leaves)
    tree = Tree(leaves)
    assert tree.root() == merkle.root_of(leaves) == tiles.root(size, lambda level, index: stored[level, index])
    assert {(level, index): content for level, index, content in tree.tiles()} == stored
    for index in data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=5)):
        path = tree.path(index)
        assert path == tiles.inclusion_path(index, size, lambda level, place: stored[level, place])
        merkle.verify_inclusion(leaves[index], index, size, path, tree.root())


@pytest.mark.parametrize("size", EDGES)
def test_at_the_edges_of_levels_it_equals_the_stored_log(size: int) -> None:
    leaves = LEAVES[:size]
    stored, tree = stored_tiles(leaves), Tree(leaves)
    assert tree.root() == merkle.root_of(leaves)
    assert {(level, index): content for level, index, content in tree.tiles()} == stored
    for index in sorted({0, size // 2, size - 1}):
        expected = tiles.inclusion_path(index, size, lambda level, place: stored.get((level, place), b""))
        assert tree.path(index) == expected


def test_there_is_no_tile_beyond_the_log() -> None:
    tree = Tree(LEAVES[:257])
    assert (tree.tile(0, 2), tree.tile(1, 1), tree.tile(2, 0)) == (b"", b"", b"")


def test_one_tree_gives_the_same_paths_in_any_order() -> None:
    """It remembers the nodes at its right edge; what was asked before must not show."""
    leaves = LEAVES[:300]
    tree = Tree(leaves)
    backwards = [tree.path(index) for index in reversed(range(300))][::-1]
    assert backwards == [Tree(leaves).path(index) for index in range(300)]
    assert [tree.path(index) for index in range(300)] == backwards


@given(n=st.integers(0, 700), size=st.integers(0, 700))
def test_the_root_at_an_earlier_size_is_that_of_the_leaves_until_then(n: int, size: int) -> None:
    tree = Tree(LEAVES[:n])
    if size > n:
        with pytest.raises(IndexError, match="Expected a size"):
            tree.root_at(size)
    else:
        assert tree.root_at(size) == merkle.root_of(LEAVES[:size])
