"""DSSE envelopes and the public keys that verify them: ECDSA P-256, one signature to an envelope.

A key id is the hex SHA-256 of the DER SPKI and only a hint: verification starts from the keys the caller trusts.

Source: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.evidence import canonical
from compliance.evidence.errors import (
    EvidenceMalformedError,
    EvidenceSignatureError,
    EvidenceSignerError,
    MalformedFileError,
)

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# The canonical JSON of an envelope, before the payload and from there on. A type or key id that needs an escape is none
# of ours.
_BEFORE_PAYLOAD = b'{"payload":"'
_AFTER_PAYLOAD = re.compile(
    rb'","payloadType":"([!#-\[\]-~]*)","signatures":\[\{"keyid":"([!#-\[\]-~]*)","sig":"([A-Za-z0-9+/=]*)"\}\]\}'
)
_ECDSA_SHA256 = ec.ECDSA(SHA256())


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


@lru_cache(maxsize=64)
def parse_envelope(data: bytes) -> Envelope:
    """Parse a canonical envelope with exactly one signature; raises EvidenceMalformedError."""
    start = len(_BEFORE_PAYLOAD)
    end = data.find(b'"', start)
    match = _AFTER_PAYLOAD.fullmatch(data, end) if data.startswith(_BEFORE_PAYLOAD) and end > 0 else None
    if match is None:
        raise EvidenceMalformedError(
            "Expected a DSSE envelope in canonical JSON with payload, payloadType and exactly one signature, found "
            "something else."
        )
    kind, keyid, signature = (part.decode() for part in match.groups())
    if kind != PAYLOAD_TYPE:
        raise EvidenceMalformedError(f"Expected the payload type {PAYLOAD_TYPE}, found another.")
    try:
        payload = canonical.decode_base64(data[start:end].decode())
        return Envelope(payload, kind, keyid, canonical.decode_base64(signature))
    except ValueError as error:
        raise EvidenceMalformedError(f"Expected a DSSE envelope, found something else: {error}.") from error


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
        key.verify(envelope.signature, envelope.pae(), _ECDSA_SHA256)
    except (InvalidSignature, ValueError) as error:
        raise EvidenceSignatureError(
            f"The signature does not verify under the evidence key {public_key_sha256(key)}."
        ) from error


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
