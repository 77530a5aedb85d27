"""A master key of this installation: 32 bytes, wrapping by AES-256-GCM with the context as associated data.

Not AES key wrap (RFC 3394, 5649): it authenticates no context, so that wrapped keys could be swapped between rows.
"""

import base64
import binascii
from dataclasses import dataclass, field

from compliance.vault import sealing
from compliance.vault.errors import VaultError
from compliance.vault.wrapping import id_of_key


@dataclass(frozen=True)
class LocalKey:
    """A `KeyWrapper`. The key is never shown, and is not in `repr`."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != sealing.KEY_BYTES:
            raise ValueError(f"A master key must have {sealing.KEY_BYTES} bytes, found {len(self.key)}.")

    @property
    def key_id(self) -> str:
        """16 hex digits."""
        return id_of_key(self.key)

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """The wrapped key."""
        return sealing.seal(self.key, data_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key; raises VaultError."""
        try:
            return sealing.unseal(self.key, wrapped, context)
        except VaultError as error:
            raise VaultError(
                f"A wrapped key does not open under the master key {self.key_id}: the row was changed or moved, or it "
                "was wrapped under another key."
            ) from error


def parse(text: bytes) -> LocalKey:
    """The key in the base64 of a file or variable; raises ValueError, which quotes nothing of it."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("A master key must be base64 of exactly 32 bytes; it is not base64.") from error
    return LocalKey(key)


def to_text(key: LocalKey) -> bytes:
    """What `parse` reads."""
    return base64.b64encode(key.key) + b"\n"
