"""What every kind of master key does: wrap a data key for one context, and give it back for that context alone."""

import hmac
from hashlib import sha256
from typing import Protocol

from compliance.vault.errors import VaultError

KEY_ID_CHARACTERS = 16
_OF_KEY = b"expunge/vault-master-key/v1\0"
_OF_URI = b"expunge/vault-key-service/v1\0"
_OF_CONTEXT = b"expunge/vault-context/v1\0"
_DIGEST_BYTES = 32


class KeyWrapper(Protocol):
    """A master key, here or behind a key service."""

    @property
    def key_id(self) -> str:
        """16 hex digits that name the key and tell nothing of it."""
        ...

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """The wrapped key; raises KeyServiceError, KeyRingError."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key; raises VaultError for another key or context, KeyServiceError, KeyRingError."""
        ...


def id_of_key(key: bytes) -> str:
    """The id of a key of 32 random bytes: 64 bits of a hash that cannot be searched backwards."""
    return sha256(_OF_KEY + key).hexdigest()[:KEY_ID_CHARACTERS]


def id_of_uri(uri: str) -> str:
    """The id of a key that only its service knows."""
    return sha256(_OF_URI + uri.encode()).hexdigest()[:KEY_ID_CHARACTERS]


def bound(data_key: bytes, context: bytes) -> bytes:
    """What a key service is given: the data key and a digest of its context.

    So a wrapped key is bound to its row with services, or versions of them, that know no associated data; and the
    service's own records show no ids of requests.
    """
    return _context_digest(context) + data_key


def unbound(plaintext: bytes, context: bytes) -> bytes:
    """The data key of `bound`; raises VaultError when it was wrapped for another context."""
    if not hmac.compare_digest(plaintext[:_DIGEST_BYTES], _context_digest(context)):
        raise VaultError("A wrapped key does not open: it was wrapped for another row or purpose.")
    return plaintext[_DIGEST_BYTES:]


def _context_digest(context: bytes) -> bytes:
    return sha256(_OF_CONTEXT + context).digest()
