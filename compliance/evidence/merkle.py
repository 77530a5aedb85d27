"""The Merkle tree of RFC 6962 section 2.1 and the proof checks of RFC 9162 sections 2.1.3.2 and 2.1.4.2.

Hashes are 32 bytes of SHA-256. A leaf is hashed with the prefix 0x00, an inner node with 0x01, so that an inner node
can never be passed off as a leaf. Every check begins with lengths and sizes: a verifier that only follows the
pseudo-code of the RFC accepts empty hashes.
"""

from collections.abc import Sequence
from hashlib import sha256

from compliance.evidence.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
# 63 levels are enough for any size below 2**63, which is more than the formats can name.
_MAX_PATH = 63


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree head over leaf hashes, in memory, in O(n).

    Complete subtrees are merged as on a binary counter; what is left over is folded from the right.
    """
    stack: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        _refuse_length(leaf, "leaf hash")
        height, subtree = 0, leaf
        while stack and stack[-1][0] == height:
            subtree = node_hash(stack.pop()[1], subtree)
            height += 1
        stack.append((height, subtree))
    if not stack:
        return EMPTY_ROOT
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with this root.

    Raises ProofError. Source: RFC 9162, section 2.1.3.2.
    """
    _refuse_length(leaf, "leaf hash")
    _refuse_lengths(path, root)
    if not 0 <= index < size:
        raise ProofError(f"Expected an index from 0 to {size - 1} in a log of {size} entries, found {index}.")
    number, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(f"The path of entry {index} is longer than a log of {size} entries allows.")
        if number & 1 or number == last:
            computed = node_hash(sibling, computed)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        number, last = number >> 1, last >> 1
    if last != 0:
        raise ProofError(f"The path of entry {index} is shorter than a log of {size} entries needs.")
    if computed != root:
        raise ProofError(f"The path of entry {index} does not lead to the root of the log.")


def verify_consistency(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the log of `new_size` entries begins with the very entries of the log of `old_size`.

    Raises ProofError. The old log must not be empty: an empty log is a prefix of everything, so a proof says nothing.
    Source: RFC 9162, section 2.1.4.2.
    """
    _refuse_length(old_root, "old root")
    _refuse_lengths(path, new_root)
    if not 0 < old_size <= new_size:
        raise ProofError(f"Expected 0 < old size <= new size, found {old_size} and {new_size}.")
    if old_size == new_size:
        if path or old_root != new_root:
            raise ProofError("Two logs of the same size must have the same root and need no path.")
        return
    old, new = _fold_consistency(old_size, new_size, path, old_root)
    if old != old_root:
        raise ProofError(f"The path does not lead to the root of the first {old_size} entries.")
    if new != new_root:
        raise ProofError(f"The path does not lead to the root of the {new_size} entries.")


def _fold_consistency(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    hashes = list(path)
    if old_size & (old_size - 1) == 0:
        # The old tree is a complete subtree, so its root is the first node and is left out of the path.
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("The consistency path is empty.")
    number, last = old_size - 1, new_size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("The consistency path is longer than these sizes allow.")
        if number & 1 or number == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        number, last = number >> 1, last >> 1
    if last != 0:
        raise ProofError("The consistency path is shorter than these sizes need.")
    return old, new


def _refuse_lengths(path: Sequence[bytes], root: bytes) -> None:
    _refuse_length(root, "root")
    if len(path) > _MAX_PATH:
        raise ProofError(f"Expected a path of at most {_MAX_PATH} hashes, found {len(path)}.")
    for sibling in path:
        _refuse_length(sibling, "hash in the path")


def _refuse_length(value: bytes, what: str) -> None:
    if len(value) != HASH_BYTES:
        raise ProofError(f"Expected a {what} of {HASH_BYTES} bytes, found {len(value)}.")
