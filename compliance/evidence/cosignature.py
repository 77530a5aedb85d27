"""Cosignatures of witnesses: "of this log, at this time, this is the largest head I have seen" (C2SP tlog-cosignature).

A cosignature is one more signature line on the note of a checkpoint, of type 0x04: eight bytes of time and an Ed25519
signature over `cosignature/v1`, `time N` and the text of the note. It does not commit to the cosigner's name, so a key
serves under one name alone. A log's key (type 0x01) is no cosigner's key, and the other way round.

Source: https://c2sp.org/tlog-cosignature
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.evidence import checkpoint
from compliance.evidence.canonical import encode_base64, format_time
from compliance.evidence.checkpoint import TIMESTAMPED_ED25519, LogSigner, VerifierKey
from compliance.evidence.errors import CheckpointMalformedError, CheckpointSignatureError

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
# The last second that a date can name: 9999-12-31T23:59:59Z. The format would allow 2**63 - 1.
_MAX_SECONDS = 253_402_300_799


@dataclass(frozen=True)
class Cosignature:
    """One verified line, with its newline, and the second in which it was made."""

    line: bytes
    cosigned_at: datetime


def vkey(name: str, public_key: Ed25519PublicKey) -> str:
    """The vkey line `name+keyid+base64(0x04 ‖ key)` under which a cosigner's key is published."""
    return checkpoint.vkey(name, public_key, TIMESTAMPED_ED25519)


def parse_vkey(text: str) -> VerifierKey:
    """Parse the vkey line of a cosigner; raises CheckpointKeyError, also for the key of a log."""
    return checkpoint.parse_vkey(text, TIMESTAMPED_ED25519)


def cosign(note: bytes, name: str, key: LogSigner, at: datetime) -> bytes:
    """The signature line, with its newline, of a cosigner over the checkpoint in a note.

    `at` is a time to the second. Nothing is verified here: that the log grew consistently is the witness's business.
    Raises CheckpointMalformedError for anything but a checkpoint of three lines, and ValueError for another time.
    """
    body, _ = checkpoint.split_note(note)
    checkpoint.parse_body(body)
    format_time(at)
    seconds = int(at.timestamp())
    if seconds <= 0:
        raise ValueError(f"Expected a time after 1970, found {at.isoformat()}.")
    signer = checkpoint.parse_vkey(vkey(name, key.public_key()), TIMESTAMPED_ED25519)
    signature = seconds.to_bytes(_TIME_BYTES, "big") + key.sign(_message(body, seconds))
    return signature_line(name, signer.key_id + signature)


def cosignatures(note: bytes, cosigner_vkey: str) -> list[Cosignature]:
    """The lines of one cosigner on a note, all verified, in the order of the note; none is no error.

    Raises CheckpointKeyError for a bad vkey, CheckpointMalformedError for a bad note or line, and
    CheckpointSignatureError when a line carries the cosigner's name and key id, but not its signature.
    """
    key = parse_vkey(cosigner_vkey)
    body, signatures = checkpoint.split_note(note)
    checkpoint.parse_body(body)
    return [
        Cosignature(signature_line(name, key_id + signature), _verify(key, signature, body))
        for name, key_id, signature in signatures
        if (name, key_id) == (key.name, key.key_id)
    ]


def verify(note: bytes, cosigner_vkeys: Mapping[str, str]) -> dict[str, datetime]:
    """When each witness first cosigned a note: names as the caller's mapping from name to vkey has them.

    Witnesses without a line are left out. Raises as `cosignatures` does: one wrong line refuses the whole note.
    """
    found = {name: cosignatures(note, line) for name, line in cosigner_vkeys.items()}
    return {name: min(each.cosigned_at for each in lines) for name, lines in found.items() if lines}


def add_line(note: bytes, line: bytes) -> bytes:
    """The note with one more signature line, verified by nobody here; a line that it has already is not repeated.

    Raises CheckpointMalformedError.
    """
    extended = note + line
    body, signatures = checkpoint.split_note(extended)
    if len(signatures) != len(checkpoint.split_note(note)[1]) + 1 or not extended.startswith(body + b"\n"):
        raise CheckpointMalformedError("Expected one signature line to add to the note, found something else.")
    return note if signatures[-1] in signatures[:-1] else extended


def with_lines_of(note: bytes, keys: Iterable[VerifierKey]) -> bytes:
    """The note with the signature lines of these keys alone, each once. Nothing is verified here.

    Raises CheckpointMalformedError, also when no line would be left.
    """
    wanted = {(key.name, key.key_id) for key in keys}
    body, signatures = checkpoint.split_note(note)
    lines = [signature_line(name, key_id + rest) for name, key_id, rest in signatures if (name, key_id) in wanted]
    if not lines:
        raise CheckpointMalformedError("Expected a signature line of a known key, found none.")
    return body + b"\n" + b"".join(dict.fromkeys(lines))


def signature_line(name: str, blob: bytes) -> bytes:
    """`— name base64(key id ‖ signature)` with its newline."""
    return f"— {name} {encode_base64(blob)}\n".encode()


def _message(body: bytes, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n".encode() + body


def _verify(key: VerifierKey, signature: bytes, body: bytes) -> datetime:
    if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES:
        raise CheckpointMalformedError(
            f"Expected {_TIME_BYTES + _SIGNATURE_BYTES} bytes of time and signature from the cosigner {key.name}, "
            f"found {len(signature)}."
        )
    seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
    if not 0 < seconds <= _MAX_SECONDS:
        raise CheckpointMalformedError(f"The cosignature of {key.name} carries a time that is no date.")
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.public_key_bytes)
        public_key.verify(signature[_TIME_BYTES:], _message(body, seconds))
    except InvalidSignature as error:
        raise CheckpointSignatureError(
            f"The cosignature of {key.name} does not verify over this checkpoint and its time."
        ) from error
    return datetime.fromtimestamp(seconds, UTC)
