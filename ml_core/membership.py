"""Which records a model holds, without holding the records.

Arithmetic cannot tell a trained record from one that was never seen: subtracting a stranger's moments, or the same
record twice, gives a wrong model in silence. So each trained record leaves two BLAKE2b digests keyed with a random
key of the model: one of its id, one of its contents. Rows are sorted by the first, so the state does not depend on
the order of training. Deletion sets a flag and wipes the digest of the contents; the id's digest stays, which is
what lets a second deletion be refused. The key lies beside the digests: whoever holds the model and a list of ids
can test them, so this state is protected like the weights.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_core.contract import Examples
from ml_core.errors import AlreadyDeletedError, ArtifactError, DataError, NeverTrainedError

KEY_BYTES = 32
DIGEST_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Membership:
    """key: [32] uint8. record_digests, content_digests: [N, 32] uint8. deleted: [N] uint8, 0 or 1. All on the CPU.

    Raises ArtifactError when a stored state is inconsistent: unsorted or repeated ids, flags other than 0 and 1.
    """

    key: Tensor
    record_digests: Tensor
    content_digests: Tensor
    deleted: Tensor

    def __post_init__(self) -> None:
        rows = [row.tobytes() for row in self.record_digests.numpy()]
        if any(later <= earlier for earlier, later in pairwise(rows)):
            raise ArtifactError("membership rows must be strictly increasing; the stored model is damaged, restore it")
        if bool((self.deleted > 1).any()):
            raise ArtifactError("membership flags must be 0 or 1; the stored model is damaged, restore it")

    @property
    def n_held(self) -> int:
        """How many records the model holds now."""
        return len(self.deleted) - int(self.deleted.sum())


def draw_key(generator: torch.Generator) -> Tensor:
    """A random key [32] uint8 on the CPU."""
    drawn = torch.randint(0, 256, (KEY_BYTES,), generator=generator, device=generator.device)
    return drawn.to("cpu", torch.uint8)


def enrol(key: Tensor, examples: Examples, quantised: Tensor) -> Membership:
    """Membership of exactly these examples. quantised: [N, D] integers in 0 .. 65535 as float64."""
    record_digests = _record_digests(key, examples)
    content_digests = _content_digests(key, examples, quantised)
    order = sorted(range(len(examples)), key=record_digests.__getitem__)
    return Membership(
        key=key,
        record_digests=_stack([record_digests[position] for position in order]),
        content_digests=_stack([content_digests[position] for position in order]),
        deleted=torch.zeros(len(examples), dtype=torch.uint8),
    )


def locate(membership: Membership, forget: Examples, quantised: Tensor) -> list[int]:
    """Rows of ``membership`` that hold ``forget``, in the order of ``forget``.

    Raises NeverTrainedError when a record is absent, or its features or label differ from those trained on, and
    AlreadyDeletedError when a record was removed before. Messages give counts, never ids or contents.
    """
    rows = membership.record_digests.numpy()
    positions = [_position(rows, digest) for digest in _record_digests(membership.key, forget)]
    n_absent = positions.count(-1)
    if n_absent:
        raise NeverTrainedError(
            f"{n_absent} of {len(forget)} records were never trained on; ask for trained records only"
        )
    n_deleted = int(membership.deleted[positions].sum())
    if n_deleted:
        raise AlreadyDeletedError(f"{n_deleted} of {len(forget)} records were deleted before; leave them out")
    contents = membership.content_digests.numpy()
    offered = _content_digests(membership.key, forget, quantised)
    n_changed = sum(contents[row].tobytes() != digest for row, digest in zip(positions, offered, strict=True))
    if n_changed:
        raise NeverTrainedError(
            f"{n_changed} of {len(forget)} records have features or a label that differ from those trained on; "
            "supply them exactly as they were at training"
        )
    return positions


def without(membership: Membership, positions: list[int]) -> Membership:
    """A copy in which the given rows are flagged deleted and their contents' digests wiped."""
    deleted, contents = membership.deleted.clone(), membership.content_digests.clone()
    deleted[positions] = 1
    contents[positions] = 0
    return Membership(
        key=membership.key, record_digests=membership.record_digests, content_digests=contents, deleted=deleted
    )


def require_same_held(membership: Membership, other: Membership) -> None:
    """Raise DataError unless both hold the same records with the same contents, under one key; counts alone are told."""
    first, second = (_held(each) for each in (membership, other))
    if not torch.equal(membership.key, other.key) or first != second:
        raise DataError(
            f"expected exactly the {len(first)} records that remain, as they were at training; found {len(second)}, of "
            f"which {len(first & second)} are among them"
        )


def _held(membership: Membership) -> set[tuple[bytes, bytes]]:
    is_held = (membership.deleted == 0).numpy()
    rows = membership.record_digests.numpy()[is_held], membership.content_digests.numpy()[is_held]
    return {(record.tobytes(), content.tobytes()) for record, content in zip(*rows, strict=True)}


def _position(rows: NDArray[np.uint8], digest: bytes) -> int:
    position = bisect_left(range(len(rows)), digest, key=lambda row: rows[row].tobytes())
    return position if position < len(rows) and rows[position].tobytes() == digest else -1


def _record_digests(key: Tensor, examples: Examples) -> list[bytes]:
    return [_digest(key, b"record", record_id.encode()) for record_id in examples.record_ids]


def _content_digests(key: Tensor, examples: Examples, quantised: Tensor) -> list[bytes]:
    features = quantised.to("cpu").numpy().astype("<u2")
    labels = examples.labels.to("cpu").numpy().astype("<i8")
    return [
        _digest(key, b"content", len(name := record_id.encode()).to_bytes(8) + name + label.tobytes() + row.tobytes())
        for record_id, label, row in zip(examples.record_ids, labels, features, strict=True)
    ]


def _digest(key: Tensor, purpose: bytes, message: bytes) -> bytes:
    return hashlib.blake2b(message, digest_size=DIGEST_BYTES, key=key.numpy().tobytes(), person=purpose).digest()


def _stack(digests: list[bytes]) -> Tensor:
    joined = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES)
    return torch.from_numpy(joined.copy())  # [N, 32]
