"""AES-256-GCM (RFC 5116): a random nonce of 12 bytes, the ciphertext, and a tag over both and the context.

The context says what is sealed and for whom; it is not stored, so that nothing opens in another place. A key seals at
most 2^32 times (NIST SP 800-38D, section 8.3), since nonces are random.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.vault.errors import VaultError

KEY_BYTES = 32
_NONCE_BYTES = 12


def new_key() -> bytes:
    """32 random bytes."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """28 bytes longer than the plaintext."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def unseal(key: bytes, sealed: bytes | memoryview, context: bytes) -> bytes:
    """The plaintext; raises VaultError for another key, another context, or changed bytes."""
    box = bytes(sealed)
    try:
        return AESGCM(key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise VaultError("It does not open: another key or purpose, or the sealed bytes were changed.") from error
