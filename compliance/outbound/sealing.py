"""The one place where secrets of this app are sealed and opened: AES-256-GCM (RFC 5116) under the vault's master key.

The id of the row is bound as associated data, so that what is sealed for one row opens in no other.
"""

import secrets
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12
_PURPOSE = b"webhook-secret"


class SealError(RuntimeError):
    """What was sealed does not open: another master key, or the row was changed."""


def seal(plaintext: bytes, row_id: uuid.UUID) -> bytes:
    """The plaintext, sealed for this row."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(settings.VAULT_MASTER_KEY).encrypt(nonce, plaintext, row_id.bytes + _PURPOSE)


def unseal(sealed: bytes | memoryview, row_id: uuid.UUID) -> bytes:
    """The plaintext again; raises SealError."""
    box = bytes(sealed)
    try:
        return AESGCM(settings.VAULT_MASTER_KEY).decrypt(
            box[:_NONCE_BYTES], box[_NONCE_BYTES:], row_id.bytes + _PURPOSE
        )
    except InvalidTag as error:
        raise SealError(
            f"The secret {row_id} does not open. Is VAULT_MASTER_KEY the one it was sealed under?"
        ) from error
