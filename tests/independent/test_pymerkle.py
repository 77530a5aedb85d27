"""pymerkle computes the same roots and inclusion paths from the same entries."""

from hashlib import sha256

import pymerkle  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import merkle, tiles
from compliance.evidence.errors import ProofError
from compliance.evidence.tree import Tree
from tests.compliance.evidence.story import Story

SIZES = (1, 2, 3, 4, 7, 8, 9, 100, 255, 256, 257, 400)
LEAVES = [b"entry %d" % number for number in range(max(SIZES))]


def tree_over(leaves: list[bytes]) -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in leaves:
        tree.append_entry(entry)
    return tree


@pytest.fixture(scope="module")
def held() -> dict[tuple[int, int], bytes]:
    """The tiles over all leaves, grown one entry at a time."""
    grown: dict[tuple[int, int], bytes] = {}

    def read_tile(level: int, index: int) -> bytes:
        return grown.get((level, index), b"")

    for size, entry in enumerate(LEAVES):
        grown.update(tiles.append(size, [merkle.leaf_hash(entry)], read_tile))
    return grown


def path_of(tree: pymerkle.InmemoryTree, index: int, size: int) -> list[bytes]:
    """Its path begins with the leaf itself, which RFC 6962 leaves out."""
    # Its entries are counted from 1.
    first, *path = tree.prove_inclusion(index + 1, size).path
    assert first == merkle.leaf_hash(LEAVES[index])
    return list(path)


@pytest.mark.parametrize("size", SIZES)
def test_it_has_the_same_root_and_the_same_paths(size: int, held: dict[tuple[int, int], bytes]) -> None:
    tree = tree_over(LEAVES[:size])
    root = tiles.root(size, lambda level, index: held.get((level, index), b""))
    assert tree.get_root(size) == root == merkle.root_of([merkle.leaf_hash(entry) for entry in LEAVES[:size]])
    for index in {0, size // 3, size // 2, size - 1}:
        path = tiles.inclusion_path(index, size, lambda level, place: held.get((level, place), b""))
        assert path == path_of(tree, index, size)
        merkle.verify_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, path, root)


@settings(max_examples=40, deadline=None)
@given(leaves=st.lists(st.binary(max_size=40), min_size=1, max_size=90))
def test_the_tree_in_memory_has_its_root_and_all_its_paths(leaves: list[bytes]) -> None:
    tree, ours = tree_over(leaves), Tree(map(merkle.leaf_hash, leaves))
    assert tree.get_root() == ours.root()
    for index in range(len(leaves)):
        assert list(tree.prove_inclusion(index + 1, len(leaves)).path) == [ours.leaf(index), *ours.path(index)]


def test_both_refuse_a_path_with_another_hash() -> None:
    tree = tree_over(LEAVES[:100])
    proof = tree.prove_inclusion(42, 100)
    base, root = tree.get_leaf(42), tree.get_root(100)
    pymerkle.verify_inclusion(base, root, proof)
    proof.path[2] = sha256(b"another").digest()
    with pytest.raises(pymerkle.InvalidProof):
        pymerkle.verify_inclusion(base, root, proof)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(base, 41, 100, proof.path[1:], root)


def test_it_has_the_root_of_a_real_ledger(story: Story) -> None:
    log = story.ledger.last
    assert tree_over(log.leaves).get_root() == log.head().root
