"""The ledger leaf of signed evidence: the Rekor v2 `hashedrekord` 0.0.2 body over SHA-256(PAE) of a DSSE envelope.

So this ledger behaves as a private Rekor v2 log, and clients of Sigstore can check its entries.

Source: sigstore/rekor-tiles, api/proto (HashedRekordLogEntryV002) and CLIENTS.md; sigstore/architecture-docs #63
for the digest of an envelope.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import canonical, dsse
from compliance.evidence.errors import LeafError

_KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"
_BASE64 = rb'"([A-Za-z0-9+/]+={0,2})"'
_BODY = re.compile(
    rb'\{"apiVersion":"0\.0\.2","kind":"hashedrekord","spec":\{"hashedRekordV002":\{"data":'
    rb'\{"algorithm":"SHA2_256","digest":' + _BASE64 + rb'\},"signature":\{"content":' + _BASE64 + rb',"verifier":'
    rb'\{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":\{"rawBytes":' + _BASE64 + rb"\}\}\}\}\}\}"
)


@dataclass(frozen=True)
class HashedRekord:
    """SHA-256 of the PAE (32 bytes), the signature over it, and the key that made it, with its id."""

    digest: bytes
    signature: bytes
    public_key: EllipticCurvePublicKey
    key_sha256: str

    def to_bytes(self) -> bytes:
        """The canonical body."""
        encode = canonical.encode_base64
        verifier = {
            "keyDetails": _KEY_DETAILS,
            "publicKey": {"rawBytes": encode(dsse.public_key_der(self.public_key))},
        }
        rekord = {
            "data": {"algorithm": "SHA2_256", "digest": encode(self.digest)},
            "signature": {"content": encode(self.signature), "verifier": verifier},
        }
        return canonical.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": rekord}})


def hashedrekord(envelope: bytes, public_key_pem: bytes) -> bytes:
    """The leaf of an envelope. Raises EvidenceMalformedError or EvidenceSignatureError: what does not verify under
    this key is never logged."""
    parsed = dsse.parse_envelope(envelope)
    key = dsse.load_public_key(public_key_pem)
    dsse.refuse_bad_signature(parsed, key)
    return HashedRekord(sha256(parsed.pae()).digest(), parsed.signature, key, dsse.public_key_sha256(key)).to_bytes()


def parse_hashedrekord(leaf: bytes) -> HashedRekord:
    """Parse a leaf strictly; raises LeafError."""
    match = _BODY.fullmatch(leaf)
    if match is None:
        raise LeafError("Expected exactly the fields of a hashedrekord 0.0.2 body with a SHA-256 digest.")
    try:
        digest, signature, key = (canonical.decode_base64(part.decode()) for part in match.groups())
        rekord = HashedRekord(digest, signature, *_load_key(key))
    except ValueError as error:
        raise LeafError(f"Expected a hashedrekord 0.0.2 body, found something else: {error}.") from error
    if len(digest) != sha256().digest_size:
        raise LeafError("Expected a digest of 32 bytes in a hashedrekord 0.0.2 body.")
    return rekord


@lru_cache(maxsize=256)
def _load_key(der: bytes) -> tuple[EllipticCurvePublicKey, str]:
    """A key with its id; a log names few keys, many times. Raises ValueError for another DER form of a key."""
    key = dsse.load_public_key_der(der)
    if dsse.public_key_der(key) != der:
        raise ValueError("the key is not in its one DER form")
    return key, sha256(der).hexdigest()
