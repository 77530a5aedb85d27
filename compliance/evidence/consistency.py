"""That a log only grew: a proof between any two of its checkpoints, made from its tiles and checked without them.

The text of a proof is that of an `add-checkpoint` request to a witness, so one file serves both:

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=        one line a hash
                                                        an empty line
    example.com/log                                     the newer checkpoint, a signed note
    …

Source: RFC 6962, section 2.1.2; https://c2sp.org/tlog-witness
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compliance.evidence import merkle, tiles
from compliance.evidence.canonical import decode_base64, encode_base64
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import ConsistencyError, ProofError
from compliance.evidence.tiles import ReadTile, TileError

_MAX_LINES = 63
_MAX_HEAD_BYTES = 4096
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class ConsistencyProof:
    """A parsed proof file; `note` is the newer checkpoint as a signed note. Nothing in it is verified yet."""

    old_size: int
    path: tuple[bytes, ...]
    note: bytes


def path_between(old_size: int, new_size: int, read_tile: ReadTile) -> list[bytes]:
    """The hashes that prove the step from the old size to the new one; none from size 0 or between equal sizes.

    Raises ConsistencyError when the sizes are in the wrong order, or the tiles do not reach that far.
    """
    if not 0 <= old_size <= new_size:
        raise ConsistencyError(f"Expected 0 <= old size <= new size, found {old_size} and {new_size}.")
    if old_size == 0:
        # The empty log is the beginning of every log: there is nothing to prove.
        return []
    try:
        return tiles.consistency_path(old_size, new_size, read_tile)
    except TileError as error:
        raise ConsistencyError(f"The step from {old_size} to {new_size} entries cannot be proven. {error}") from error


def verify(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> None:
    """Check that the log of the newer checkpoint begins with all entries of the older one.

    Both checkpoints must have been verified as signed notes before. Raises ConsistencyError, also for checkpoints of
    two logs: a step from one log to the next is told by its first entry.
    """
    if old.origin != new.origin:
        raise ConsistencyError(f"Expected two checkpoints of one log, found {old.origin} and {new.origin}.")
    try:
        if old.size:
            merkle.verify_consistency(old.size, new.size, path, old.root, new.root)
        elif path or old.root != merkle.EMPTY_ROOT:
            raise ProofError("The empty log has the root of no entries, and needs no path.")
        elif not new.size and new.root != merkle.EMPTY_ROOT:
            raise ProofError("Two logs of the same size must have the same root.")
    except ProofError as error:
        raise ConsistencyError(
            f"The log {new.origin} of {new.size} entries does not extend that of {old.size}. {error}"
        ) from error


def refuse_other_size(old: Checkpoint, proof: ConsistencyProof) -> None:
    """Raises ConsistencyError for a proof that begins at another size than the older checkpoint."""
    if proof.old_size != old.size:
        raise ConsistencyError(f"The proof begins at {proof.old_size} entries; your checkpoint is over {old.size}.")


def prove(old: Checkpoint, new: Checkpoint, note: bytes, read_tile: ReadTile) -> bytes:
    """The proof file from `old` to `new`, whose signed note is `note`; it is verified before it is handed out.

    Raises ConsistencyError when the tiles are not those of both checkpoints.
    """
    path = path_between(old.size, new.size, read_tile)
    verify(old, new, path)
    return write(old.size, path, note)


def write(old_size: int, path: Sequence[bytes], note: bytes) -> bytes:
    """The text of a proof file."""
    lines = [f"old {old_size}", *map(encode_base64, path)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def parse(data: bytes) -> ConsistencyProof:
    """Read a proof file strictly; raises ConsistencyError."""
    head, blank, note = data.partition(b"\n\n")
    if not blank or len(head) > _MAX_HEAD_BYTES or not head.isascii():
        raise ConsistencyError("Expected a line `old N`, lines of base64, an empty line and a checkpoint.")
    first, *lines = head.decode("ascii").split("\n")
    match = _OLD.fullmatch(first)
    if match is None or len(lines) > _MAX_LINES:
        raise ConsistencyError(f"Expected a line `old N` and at most {_MAX_LINES} hashes, found something else.")
    return ConsistencyProof(old_size=int(match[1]), path=tuple(map(_hash, lines)), note=note)


def _hash(line: str) -> bytes:
    try:
        value = decode_base64(line)
    except ValueError as error:
        raise ConsistencyError(f"A line of the proof is not base64: {error}.") from error
    if len(value) != merkle.HASH_BYTES:
        raise ConsistencyError(f"Expected hashes of {merkle.HASH_BYTES} bytes, found one of {len(value)}.")
    return value
