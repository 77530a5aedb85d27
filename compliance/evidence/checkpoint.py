"""Signed tree heads: C2SP tlog-checkpoint in a C2SP signed-note, signed with Ed25519 (signature type 0x01).

A note is text, a blank line, and signature lines `— name base64(key id ‖ signature)`. The key id is a hint of four
bytes: trust comes from the whole public key, configured beforehand. Lines of unknown keys (witnesses, an overlapping
rotation) are ignored; a wrong signature of a known key refuses the note.

Source: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.evidence.canonical import decode_base64, encode_base64
from compliance.evidence.errors import CheckpointKeyError, CheckpointMalformedError, CheckpointSignatureError
from compliance.evidence.merkle import HASH_BYTES

# The types of signature that the C2SP formats number.
ED25519 = b"\x01"
TIMESTAMPED_ED25519 = b"\x04"
_KEY_ID_BYTES = 4
_MAX_NOTE_BYTES = 1_000_000
_MAX_SIGNATURES = 64
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: which log, how many entries, the 32-byte root over them."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """The text that is signed: three lines, no extension lines."""
        _refuse_name(self.origin)
        if self.size < 0 or len(self.root) != HASH_BYTES:
            raise CheckpointMalformedError(
                f"Expected a size of 0 or more and a root of {HASH_BYTES} bytes, "
                f"found {self.size} and {len(self.root)} bytes."
            )
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n".encode()


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key with the name under which it signs: 0x01 for logs, 0x04 for cosigners."""

    name: str
    public_key_bytes: bytes
    signature_type: bytes = ED25519

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ LF ‖ type ‖ 32-byte key), first four bytes."""
        named = self.name.encode() + b"\n" + self.signature_type + self.public_key_bytes
        return sha256(named).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self.signature_type + self.public_key_bytes)}"


def vkey(name: str, public_key: Ed25519PublicKey, signature_type: bytes = ED25519) -> str:
    """The vkey line `name+keyid+base64(type ‖ key)` under which a key is published."""
    _refuse_name(name)
    return str(VerifierKey(name, public_key.public_bytes_raw(), signature_type))


def parse_vkey(text: str, signature_type: bytes = ED25519) -> VerifierKey:
    """Parse a vkey line, with or without a final newline; a key of another type raises CheckpointKeyError."""
    line = text.removesuffix("\n")
    parts = line.split("+", 2)
    try:
        if len(parts) != 3:
            raise ValueError("it has no two plus signs")
        encoded = decode_base64(parts[2])
        if encoded[:1] != signature_type or len(encoded) != 1 + 32:
            raise ValueError(f"it is not an Ed25519 key of type 0x{signature_type.hex()}")
        _refuse_name(parts[0])
        key = VerifierKey(parts[0], encoded[1:], signature_type)
    except ValueError as error:
        raise CheckpointKeyError(
            f"Expected a vkey such as example.org/log+1a2b3c4d+AX…, found none: {error}."
        ) from error
    if str(key) != line:
        raise CheckpointKeyError(f"The vkey of {key.name} carries the key id {parts[1]}, expected {key.key_id.hex()}.")
    return key


class LogSigner(Protocol):
    """An Ed25519 key that signs, in a file or behind a key service."""

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes."""

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""


def sign(checkpoint: Checkpoint, name: str, key: LogSigner) -> bytes:
    """The signed note of a checkpoint under one key name."""
    body = checkpoint.body()
    _refuse_name(name)
    signer = VerifierKey(name, key.public_key().public_bytes_raw())
    signature = encode_base64(signer.key_id + key.sign(body))
    return body + f"\n— {name} {signature}\n".encode()


def open_note(note: bytes, vkeys: Iterable[str]) -> Checkpoint:
    """Verify a note under trusted vkeys and return its checkpoint.

    The origin must be the name of the key that signed. Raises CheckpointMalformedError, CheckpointKeyError (no
    signature of a trusted key) or CheckpointSignatureError (one of them is wrong).
    """
    checkpoint = parse_body(split_note(note)[0])
    _, verified = verify_note(note, vkeys)
    if checkpoint.origin not in verified:
        raise CheckpointKeyError(
            f"Expected the log {checkpoint.origin} to be signed by its own key; verified are {', '.join(verified)}."
        )
    return checkpoint


def verify_note(note: bytes, vkeys: Iterable[str]) -> tuple[bytes, tuple[str, ...]]:
    """The text of any signed note, and the sorted names of the trusted keys whose signatures verify (at least one).

    Raises CheckpointMalformedError, CheckpointKeyError or CheckpointSignatureError.
    """
    body, signatures = split_note(note)
    trusted = {(key.name, key.key_id): key for key in map(parse_vkey, vkeys)}
    verified = set()
    for name, key_id, signature in signatures:
        key = trusted.get((name, key_id))
        if key is not None:
            _verify(key, signature, body)
            verified.add(key.name)
    if not verified:
        found = ", ".join(f"{name} ({key_id.hex()})" for name, key_id, _ in signatures)
        expected = ", ".join(f"{name} ({key_id.hex()})" for name, key_id in trusted) or "no key at all"
        raise CheckpointKeyError(f"Expected the note to be signed by {expected}; found signatures by {found}.")
    return body, tuple(sorted(verified))


def is_same_signer(note: bytes, other: bytes, name: str) -> bool:
    """Whether two notes carry a signature line of one key under this name. Nothing is verified."""
    keys = [{key_id for line, key_id, _ in split_note(each)[1] if line == name} for each in (note, other)]
    return bool(keys[0] & keys[1])


def _verify(key: VerifierKey, signature: bytes, body: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key_bytes).verify(signature, body)
    except InvalidSignature as error:
        raise CheckpointSignatureError(f"The signature of {key.name} does not verify over this checkpoint.") from error


def split_note(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """The text of a note and its signatures: name, key id, signature. Nothing is verified.

    Raises CheckpointMalformedError.
    """
    if len(note) > _MAX_NOTE_BYTES:
        raise CheckpointMalformedError(f"Expected a note of at most {_MAX_NOTE_BYTES} bytes, found {len(note)}.")
    try:
        text = note.decode()
    except UnicodeDecodeError as error:
        raise CheckpointMalformedError("Expected a note in UTF-8, found other bytes.") from error
    head, blank, tail = text.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or any(ord(char) < 0x20 and char != "\n" for char in text):
        raise CheckpointMalformedError("Expected text, a blank line and signature lines; found something else.")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise CheckpointMalformedError(f"Expected at most {_MAX_SIGNATURES} signature lines, found {len(lines)}.")
    return (head + "\n").encode(), [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    try:
        blob = decode_base64(match[2]) if match else b""
    except ValueError as error:
        raise CheckpointMalformedError(f"A signature line is not canonical base64: {error}.") from error
    if match is None or len(blob) <= _KEY_ID_BYTES:
        raise CheckpointMalformedError("A signature line is not `— name base64(key id ‖ signature)`.")
    return match[1], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:]


def parse_body(body: bytes) -> Checkpoint:
    """The checkpoint in the text of a note; extension lines are refused with CheckpointMalformedError."""
    lines = body.decode().split("\n")
    if len(lines) != 4 or lines[3] or not _SIZE.fullmatch(lines[1]):
        raise CheckpointMalformedError("Expected three lines: origin, size in decimal, base64 root; found others.")
    try:
        checkpoint = Checkpoint(origin=lines[0], size=int(lines[1]), root=decode_base64(lines[2]))
    except ValueError as error:
        raise CheckpointMalformedError(f"The root of the checkpoint is not base64: {error}.") from error
    checkpoint.body()
    return checkpoint


def _refuse_name(name: str) -> None:
    if not name or any(char.isspace() or char == "+" or not char.isprintable() for char in name):
        raise CheckpointMalformedError(f"Expected a name without spaces, plus or control characters, found {name!r}.")
