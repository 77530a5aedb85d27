"""Keys and DSSE envelopes: ECDSA P-256 for evidence, Ed25519 for the log, one signature to an envelope.

A key id is the hex SHA-256 of the DER SPKI (the library's default hashes its own JSON instead) and only a hint:
verification starts from the keys the caller trusts. Keys live in files of their owner alone, or behind a KMS or HSM
through the same `Signer` interface.

Source: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md

Next: compliance/requests/actions/attach_evidence.py
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.dsse import Envelope as LibraryEnvelope

# The package re-exports them without saying so in a way mypy accepts.
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey  # type: ignore[attr-defined]

from compliance.evidence import canonical
from compliance.evidence.errors import (
    EvidenceMalformedError,
    EvidenceSignatureError,
    EvidenceSignerError,
    MalformedFileError,
)

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MAX_KEY_BYTES = 16_384


class KeyFileError(OSError):
    """A key file that is missing, readable by others, not a key, or of the wrong kind."""


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with its one signature, parsed but not verified."""

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes

    def pae(self) -> bytes:
        """The bytes that are signed: DSSE's Pre-Authentication Encoding."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def to_bytes(self) -> bytes:
        """The canonical JSON of the envelope."""
        signature = {"keyid": self.keyid, "sig": canonical.encode_base64(self.signature)}
        payload = canonical.encode_base64(self.payload)
        return canonical.dumps({"payload": payload, "payloadType": self.payload_type, "signatures": [signature]})


def parse_envelope(data: bytes) -> Envelope:
    """Parse a canonical envelope with exactly one signature; raises EvidenceMalformedError."""
    try:
        value = canonical.loads(data)
        signatures = value["signatures"]
        if not isinstance(signatures, list) or len(signatures) != 1:
            raise ValueError("it must carry exactly one signature")
        (signature,) = signatures
        envelope = Envelope(
            payload=canonical.decode_base64(value["payload"]),
            payload_type=value["payloadType"],
            keyid=signature["keyid"],
            signature=canonical.decode_base64(signature["sig"]),
        )
        if not isinstance(envelope.keyid, str) or not isinstance(envelope.payload_type, str):
            raise ValueError("keyid and payloadType must be strings")
        if envelope.to_bytes() != data:
            raise ValueError("it carries more than payload, payloadType and one signature")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EvidenceMalformedError(f"Expected a DSSE envelope, found something else: {error}.") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceMalformedError(f"Expected the payload type {PAYLOAD_TYPE}, found another.")
    return envelope


class EvidenceSigner:
    """Signs statements with one P-256 key, wherever the key is held."""

    def __init__(self, signer: Signer, public_key: ec.EllipticCurvePublicKey) -> None:
        self._signer = signer
        self.public_key = public_key

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The key in a PEM file that only its owner can read; raises KeyFileError."""
        key = _load_private_key(path)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyFileError(f"{path} should hold an ECDSA P-256 key. Make one with generate_evidence_key().")
        public_key = key.public_key()
        return cls(CryptoSigner(key, library_key(public_key)), public_key)

    @classmethod
    def from_uri(cls, uri: str, public_key_pem: bytes) -> Self:
        """A key behind a signer URI of securesystemslib (awskms:, gcpkms:, azurekms:, hsm:, file2:…)."""
        public_key = load_public_key(public_key_pem)
        return cls(Signer.from_priv_key_uri(uri, library_key(public_key)), public_key)

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the DER SPKI."""
        return public_key_sha256(self.public_key)

    @property
    def public_key_pem(self) -> bytes:
        """What verifiers need."""
        return public_key_pem(self.public_key)

    def sign(self, payload: bytes) -> bytes:
        """The envelope around an in-toto statement, as canonical JSON."""
        envelope = LibraryEnvelope(payload, PAYLOAD_TYPE, {})
        signature = envelope.sign(self._signer)
        return Envelope(payload, PAYLOAD_TYPE, self.keyid, bytes.fromhex(signature.signature)).to_bytes()


def verify_envelope(data: bytes, keys: Iterable[ec.EllipticCurvePublicKey]) -> bytes:
    """The payload of an envelope signed with one of these keys.

    Raises EvidenceMalformedError, EvidenceSignerError (no such key), EvidenceSignatureError.
    """
    envelope = parse_envelope(data)
    trusted = {public_key_sha256(key): key for key in keys}
    if envelope.keyid not in trusted:
        raise EvidenceSignerError(
            f"Expected a signature by one of {sorted(trusted)}, found the key id {envelope.keyid!r}."
        )
    refuse_bad_signature(envelope, trusted[envelope.keyid])
    return envelope.payload


def refuse_bad_signature(envelope: Envelope, key: ec.EllipticCurvePublicKey) -> None:
    """Raises EvidenceSignatureError unless the envelope is signed with this key."""
    try:
        key.verify(envelope.signature, envelope.pae(), ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise EvidenceSignatureError(
            f"The signature does not verify under the evidence key {public_key_sha256(key)}."
        ) from error


def library_key(key: ec.EllipticCurvePublicKey) -> SSlibKey:
    """The key as securesystemslib wants it, under our key id."""
    return SSlibKey.from_crypto(key, public_key_sha256(key), "ecdsa-sha2-nistp256")


def public_key_der(key: ec.EllipticCurvePublicKey | Ed25519PublicKey) -> bytes:
    """The DER SPKI."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_key_pem(key: ec.EllipticCurvePublicKey | Ed25519PublicKey) -> bytes:
    """The PEM SPKI."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_key_sha256(key: ec.EllipticCurvePublicKey | Ed25519PublicKey) -> str:
    """The one rule for key ids: hex SHA-256 of the DER SPKI."""
    return sha256(public_key_der(key)).hexdigest()


def load_public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    """A P-256 public key from PEM; raises MalformedFileError."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedFileError(f"Expected a public key in PEM, found something else: {error}.") from error
    return _only_p256(key)


def load_public_key_der(der: bytes) -> ec.EllipticCurvePublicKey:
    """A P-256 public key from DER; raises MalformedFileError."""
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedFileError(f"Expected a public key in DER, found something else: {error}.") from error
    return _only_p256(key)


def _only_p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise MalformedFileError(f"Expected an ECDSA P-256 public key, found {type(key).__name__}.")
    return key


def generate_evidence_key(path: Path) -> None:
    """Write a new P-256 key; refuses to replace a file."""
    _write_private_key(path, ec.generate_private_key(ec.SECP256R1()))


def generate_log_key(path: Path) -> None:
    """Write a new Ed25519 key; refuses to replace a file."""
    _write_private_key(path, Ed25519PrivateKey.generate())


def load_log_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key of the log; raises KeyFileError."""
    key = _load_private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} should hold an Ed25519 key. Make one with generate_log_key().")
    return key


def _write_private_key(path: Path, key: PrivateKeyTypes) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already. A key is never replaced: choose another name.") from error
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def _load_private_key(path: Path) -> PrivateKeyTypes:
    pem = _read_private(path)
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} should hold an unencrypted private key in PEM (PKCS#8).") from error


def _read_private(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe in the place of the key would hang the process.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise KeyFileError(f"There is no key file {path}. Make one with `manage.py create_keys`.") from error
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be opened: {error.strerror}.") from error
    try:
        # Asked of the open file, not of the name, which could be another file a moment later.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} should be a plain file that holds a key in PEM.")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(f"{path} can be reached by others than its owner. Run: chmod 600 {path}")
        return os.read(descriptor, _MAX_KEY_BYTES)
    finally:
        os.close(descriptor)
