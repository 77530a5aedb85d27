"""One entry's offline proof: C2SP tlog-proof, that is index, Merkle path and the checkpoint it leads to.

The `extra` line carries the entry's leaf hash as a hint. It is not authenticated and proves nothing: when a check
fails, it lets the verifier say whether the entry or its proof was changed.

Source: https://c2sp.org/tlog-proof
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compliance.evidence.canonical import decode_base64, encode_base64
from compliance.evidence.errors import ProofError
from compliance.evidence.merkle import HASH_BYTES

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_MAX_PROOF_BYTES = 1_000_000


@dataclass(frozen=True)
class Proof:
    """`path` runs from the leaf's sibling up; `checkpoint` is a signed note, not yet verified; `hint` may be absent."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    hint: bytes | None = None


def write(index: int, path: Sequence[bytes], checkpoint: bytes, hint: bytes | None = None) -> bytes:
    """The bytes of a `.tlog-proof` file; `hint` is the leaf hash."""
    extra = [] if hint is None else [f"extra {encode_base64(hint)}"]
    lines = [_HEADER, *extra, f"index {index}", *map(encode_base64, path), "", ""]
    return "\n".join(lines).encode() + checkpoint


def parse(data: bytes) -> Proof:
    """Parse a `.tlog-proof` file; raises ProofError. Nothing in it is verified yet."""
    if len(data) > _MAX_PROOF_BYTES:
        raise ProofError(f"Expected a proof of at most {_MAX_PROOF_BYTES} bytes, found {len(data)}.")
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofError("Expected a proof in ASCII, found other bytes.") from error
    if not blank or lines.pop(0) != _HEADER:
        raise ProofError(f"Expected a proof that begins with {_HEADER}, found something else.")
    hint = _decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None:
        raise ProofError("Expected a line `index N` in the proof, found none.")
    return Proof(index=int(match[1]), path=tuple(_decode(line) for line in lines), checkpoint=checkpoint, hint=hint)


def _decode(text: str) -> bytes:
    try:
        value = decode_base64(text)
    except ValueError as error:
        raise ProofError(f"A line of the proof is not base64: {error}.") from error
    if len(value) != HASH_BYTES:
        raise ProofError(f"Expected hashes of {HASH_BYTES} bytes in the proof, found one of {len(value)}.")
    return value
