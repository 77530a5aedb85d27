"""Signatures over whole bodies: RSA, PKCS #1 v1.5 with SHA-256, in Base64, in a header beside the signer's domain.

Nothing is parsed before it is verified, so what is signed are the very bytes on the wire.
Source: OpenDSR 2.0, sections 4.2 and 8.6; FIPS 186-4, section 5; RFC 8017, section 8.2.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.evidence import canonical
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.errors import (
    OtherKeyKindError,
    SignatureEncodingError,
    SignatureMismatchError,
    WeakKeyError,
)

MIN_KEY_BITS = 2048


def sign(body: bytes, key: rsa.RSAPrivateKey) -> str:
    """The signature over a body, in Base64. The same body has the same signature under the same key."""
    return canonical.encode_base64(key.sign(body, padding.PKCS1v15(), SHA256()))


def headers(body: bytes, key: rsa.RSAPrivateKey, domain: str, dialect: Dialect) -> dict[str, str]:
    """The two headers of a signed answer or callback."""
    return {dialect.domain_header: domain, dialect.signature_header: sign(body, key)}


def verify(body: bytes, signature: str, key: rsa.RSAPublicKey) -> bytes:
    """The raw signature, once this key is known to have made it over this body.

    Raises WeakKeyError, SignatureEncodingError, SignatureMismatchError.
    """
    strong_rsa(key)
    raw = _decode(signature)
    if len(raw) != (key.key_size + 7) // 8:
        raise SignatureEncodingError(f"Expected a signature of {key.key_size} bits, found one of {len(raw) * 8}.")
    try:
        key.verify(raw, body, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise SignatureMismatchError(
            "The signature does not verify over these bytes under the key of the processor's certificate."
        ) from error
    return raw


def strong_rsa(key: object) -> rsa.RSAPublicKey:
    """The key, if it is a public RSA key of 2048 bits or more; raises OtherKeyKindError, WeakKeyError."""
    if not isinstance(key, rsa.RSAPublicKey):
        raise OtherKeyKindError(f"Expected an RSA key, found {type(key).__name__}. The protocol signs with RSA.")
    if key.key_size < MIN_KEY_BITS:
        raise WeakKeyError(f"Expected an RSA key of {MIN_KEY_BITS} bits or more, found {key.key_size} bits.")
    return key


def _decode(signature: str) -> bytes:
    try:
        return canonical.decode_base64(signature)
    except ValueError as error:
        raise SignatureEncodingError(f"The signature header: {error}.") from error
