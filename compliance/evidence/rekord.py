"""The ledger leaf of signed evidence: the Rekor v2 `hashedrekord` 0.0.2 body over SHA-256(PAE) of a DSSE envelope.

So this ledger behaves as a private Rekor v2 log, and clients of Sigstore can check its entries.

Source: sigstore/rekor-tiles, api/proto (HashedRekordLogEntryV002) and CLIENTS.md; sigstore/architecture-docs #63
for the digest of an envelope.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import canonical, signing
from compliance.evidence.errors import LeafError

_KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"


@dataclass(frozen=True)
class HashedRekord:
    """SHA-256 of the PAE (32 bytes), the signature over it, and the key that made it."""

    digest: bytes
    signature: bytes
    public_key: EllipticCurvePublicKey

    def to_bytes(self) -> bytes:
        """The canonical body."""
        encode = canonical.encode_base64
        verifier = {
            "keyDetails": _KEY_DETAILS,
            "publicKey": {"rawBytes": encode(signing.public_key_der(self.public_key))},
        }
        rekord = {
            "data": {"algorithm": "SHA2_256", "digest": encode(self.digest)},
            "signature": {"content": encode(self.signature), "verifier": verifier},
        }
        return canonical.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": rekord}})


def hashedrekord(envelope: bytes, public_key_pem: bytes) -> bytes:
    """The leaf of an envelope. Raises EvidenceMalformedError or EvidenceSignatureError: what does not verify under
    this key is never logged."""
    parsed = signing.parse_envelope(envelope)
    key = signing.load_public_key(public_key_pem)
    signing.refuse_bad_signature(parsed, key)
    return HashedRekord(sha256(parsed.pae()).digest(), parsed.signature, key).to_bytes()


def parse_hashedrekord(leaf: bytes) -> HashedRekord:
    """Parse a leaf strictly; raises LeafError."""
    try:
        rekord = _read(canonical.loads(leaf))
    except (KeyError, TypeError, ValueError) as error:
        raise LeafError(f"Expected a hashedrekord 0.0.2 body, found something else: {error}.") from error
    if rekord.to_bytes() != leaf or len(rekord.digest) != sha256().digest_size:
        raise LeafError("Expected exactly the fields of a hashedrekord 0.0.2 body with a SHA-256 digest.")
    return rekord


def _read(value: Any) -> HashedRekord:
    rekord = value["spec"]["hashedRekordV002"]
    signature = rekord["signature"]
    decode = canonical.decode_base64
    return HashedRekord(
        digest=decode(rekord["data"]["digest"]),
        signature=decode(signature["content"]),
        public_key=signing.load_public_key_der(decode(signature["verifier"]["publicKey"]["rawBytes"])),
    )
