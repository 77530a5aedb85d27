"""Private keys: ECDSA P-256 signs evidence, Ed25519 signs the log. Nothing that verifies imports this file.

Keys live in files of their owner alone (key_files.py), or behind a key service or HSM (signer_uri.py).

Next: compliance/requests/actions/attach_evidence.py
"""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.evidence import dsse, key_files, signer_uri
from compliance.evidence.errors import MalformedFileError
from compliance.evidence.key_files import KeyFileError, generate_evidence_key, generate_log_key, load_log_key
from compliance.evidence.signer_uri import ReadSecret, SignerError, SignerUnreachableError

__all__ = [
    "EvidenceSigner",
    "KeyFileError",
    "SignerError",
    "SignerUnreachableError",
    "UriLogKey",
    "generate_evidence_key",
    "generate_log_key",
    "load_log_key",
    "load_public_log_key",
]


# From the bytes that are signed to the signature, wherever the key is held.
SignBytes = Callable[[bytes], bytes]


class EvidenceSigner:
    """Signs statements with one P-256 key, wherever the key is held."""

    def __init__(self, sign: SignBytes, public_key: ec.EllipticCurvePublicKey) -> None:
        self._sign = sign
        self.public_key = public_key

    @classmethod
    def of(cls, key: ec.EllipticCurvePrivateKey) -> Self:
        """A key in memory."""
        return cls(lambda data: key.sign(data, ec.ECDSA(SHA256())), key.public_key())

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The key in a PEM file that only its owner can read; raises KeyFileError."""
        return cls.of(key_files.load_evidence_key(path))

    @classmethod
    def from_uri(cls, uri: str, public_key_pem: bytes, read_secret: ReadSecret | None = None) -> Self:
        """A key behind a signer URI, which has signed a probe.

        Raises KeyFileError, SignerError, SignerUnreachableError.
        """
        try:
            public_key = dsse.load_public_key(public_key_pem)
        except MalformedFileError as error:
            raise SignerError(f"The public key of {uri} cannot be used for evidence. {error}") from error
        return cls(signer_uri.open_signer(uri, public_key, read_secret).sign, public_key)

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the DER SPKI."""
        return dsse.public_key_sha256(self.public_key)

    @property
    def public_key_pem(self) -> bytes:
        """What verifiers need."""
        return dsse.public_key_pem(self.public_key)

    def sign(self, payload: bytes) -> bytes:
        """The envelope around an in-toto statement, as canonical JSON; raises SignerError, SignerUnreachableError."""
        unsigned = dsse.Envelope(payload, dsse.PAYLOAD_TYPE, self.keyid, b"")
        signature = self._sign(unsigned.pae())
        return dsse.Envelope(payload, dsse.PAYLOAD_TYPE, self.keyid, signature).to_bytes()


class UriLogKey:
    """The Ed25519 key of a log behind a signer URI: a LogSigner."""

    def __init__(self, sign: SignBytes, public_key: Ed25519PublicKey) -> None:
        self._sign = sign
        self._public_key = public_key

    @classmethod
    def from_uri(cls, uri: str, public_key_pem: bytes, read_secret: ReadSecret | None = None) -> Self:
        """A key that has signed a probe. Raises KeyFileError, SignerError, SignerUnreachableError."""
        public_key = load_public_log_key(public_key_pem, uri)
        return cls(signer_uri.open_signer(uri, public_key, read_secret).sign, public_key)

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        return self._public_key

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes; raises SignerError, SignerUnreachableError."""
        return self._sign(data)


def load_public_log_key(pem: bytes, uri: str) -> Ed25519PublicKey:
    """The public half of a log key behind a URI, from PEM; raises SignerError."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignerError(f"The public key of {uri} should be in PEM, and is not: {error}.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SignerError(f"The public key of {uri} should be Ed25519, as checkpoints need; it is another kind.")
    return key
