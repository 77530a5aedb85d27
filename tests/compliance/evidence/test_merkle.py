"""The tree of RFC 6962 against the published vectors and a twin that is nothing but the RFC's recursion."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import merkle
from compliance.evidence.errors import ProofError

from .rfc6962 import consistency_path, inclusion_path, root_of

# Inputs and roots of the reference implementation of Certificate Transparency (merkletree tests), sizes 0 to 8.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# The same implementation's inclusion paths: (number of the leaf from 1, size) → hashes.
PATHS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (3, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (2, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def hashes(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(size)]


A, B, ROOT = *hashes(2), root_of(hashes(2))
BAD_INCLUSION: dict[str, tuple[bytes, int, int, Sequence[bytes], bytes]] = {
    "size zero": (A, 0, 0, [], ROOT),
    "negative index": (A, -1, 2, [B], ROOT),
    "index beyond the log": (A, 2, 2, [B], ROOT),
    "empty leaf hash": (b"", 0, 1, [], b""),
    "empty root": (A, 0, 2, [B], b""),
    "empty hash in the path": (A, 0, 2, [b""], ROOT),
    "short hash in the path": (A, 0, 2, [B[:31]], ROOT),
    "path too short": (A, 0, 2, [], A),
    "path too long": (A, 0, 2, [B, B], ROOT),
    "path for a log of one": (A, 0, 1, [B], ROOT),
    "endless path": (A, 0, 2**62, [B] * 64, ROOT),
    "another root": (A, 0, 2, [B], A),
    "another leaf": (B, 0, 2, [B], ROOT),
    "another place": (A, 1, 2, [B], ROOT),
}


@pytest.mark.parametrize("name", BAD_INCLUSION)
def test_a_bad_inclusion_proof_is_refused(name: str) -> None:
    with pytest.raises(ProofError):
        merkle.verify_inclusion(*BAD_INCLUSION[name])


BAD_CONSISTENCY: dict[str, tuple[int, int, Sequence[bytes], bytes, bytes]] = {
    "from an empty log": (0, 2, [], merkle.EMPTY_ROOT, ROOT),
    "from a longer log": (3, 2, [], A, ROOT),
    "of empty hashes": (1, 2, [b""], b"", b""),
    "empty path": (1, 2, [], A, ROOT),
    "empty path of two odd sizes": (3, 5, [], A, ROOT),
    "same size with a path": (2, 2, [B], ROOT, ROOT),
    "same size with another root": (2, 2, [], A, ROOT),
    "path too long": (1, 2, [B, B], A, ROOT),
    "another old root": (1, 2, [B], B, ROOT),
    "another new root": (1, 2, [B], A, A),
}


@pytest.mark.parametrize("name", BAD_CONSISTENCY)
def test_a_bad_consistency_proof_is_refused(name: str) -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(*BAD_CONSISTENCY[name])


def test_leaf_hashes_of_the_wrong_length_have_no_root() -> None:
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.root_of([b"short"])


def test_a_leaf_cannot_be_passed_off_as_a_node() -> None:
    assert merkle.leaf_hash(A + B) != merkle.node_hash(A, B)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert merkle.root_of([merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize(("number", "size"), PATHS)
def test_paths_are_those_of_certificate_transparency(number: int, size: int) -> None:
    path = [bytes.fromhex(text) for text in PATHS[number, size]]
    assert inclusion_path(number - 1, [merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]) == path
    merkle.verify_inclusion(merkle.leaf_hash(LEAVES[number - 1]), number - 1, size, path, bytes.fromhex(ROOTS[size]))


@given(st.integers(min_value=0, max_value=80))
def test_the_root_equals_that_of_the_slow_twin(size: int) -> None:
    assert merkle.root_of(hashes(size)) == root_of(hashes(size))


@given(st.data())
def test_every_inclusion_proof_of_the_slow_twin_verifies_in_its_place_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=1, max_value=80))
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    leaves = hashes(size)
    path = inclusion_path(index, leaves)
    merkle.verify_inclusion(leaves[index], index, size, path, root_of(leaves))
    other = data.draw(st.integers(min_value=0, max_value=size - 1).filter(lambda at: at != index)) if size > 1 else 1
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaves[index], other, size, path, root_of(leaves))


@given(st.data())
def test_every_consistency_proof_of_the_slow_twin_verifies_and_no_changed_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(min_value=1, max_value=80))
    old = data.draw(st.integers(min_value=1, max_value=new))
    leaves = hashes(new)
    path = consistency_path(old, leaves)
    merkle.verify_consistency(old, new, path, root_of(leaves[:old]), root_of(leaves))
    if path:
        changed = data.draw(st.integers(min_value=0, max_value=len(path) - 1))
        path[changed] = merkle.leaf_hash(path[changed])
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, path, root_of(leaves[:old]), root_of(leaves))
