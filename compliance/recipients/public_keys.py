"""Public keys of recipients: ECDSA P-256 or Ed25519."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.requests.errors import InvalidInputError

RecipientKey = ec.EllipticCurvePublicKey | Ed25519PublicKey
_MAX_CHARACTERS = 2_000


def load(pem: str) -> RecipientKey:
    """A key from PEM; raises InvalidInputError, which does not quote it."""
    wrong = "public_key: expected a public key in PEM, ECDSA P-256 or Ed25519; found something else."
    if len(pem) > _MAX_CHARACTERS:
        raise InvalidInputError(wrong)
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(wrong) from error
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise InvalidInputError(wrong)


def is_signed(key: RecipientKey, signature: bytes, data: bytes) -> bool:
    """Whether the signature over these bytes (ECDSA: with SHA-256, in DER) is this key's."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
