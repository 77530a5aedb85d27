"""Keyed commitments: what a ledger leaf holds in place of anything about a person, and their openings.

commitment = HMAC-SHA-256(k, label ‖ 0x00 ‖ JCS(payload)) with 32 random bytes k drawn for each request. The length is
fixed because HMAC pads shorter keys and hashes longer ones, so that two keys of different length can collide and the
commitment would not bind. When k is destroyed, the leaf is a random-looking string for ever.

Source: RFC 2104, RFC 8785.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import MalformedFileError, OpeningError

KEY_BYTES = 32


def new_key() -> bytes:
    """32 random bytes; never derive them from a person or a master key."""
    return secrets.token_bytes(KEY_BYTES)


def commit(key: bytes, label: str, payload: Mapping[str, Any]) -> str:
    """The commitment as 64 hex digits. Raises ValueError for a key that is not 32 bytes or a label with a zero byte."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"Expected a commitment key of {KEY_BYTES} bytes, found {len(key)}. Use new_key().")
    if not label or "\x00" in label:
        raise ValueError("Expected a non-empty label without a zero byte.")
    return hmac.digest(key, label.encode() + b"\x00" + canonical.dumps(dict(payload)), "sha256").hex()


@dataclass(frozen=True, kw_only=True)
class Openings:
    """What an auditor needs to open a request's commitments. `scope` is None before a decision froze one."""

    key: bytes
    request: Mapping[str, Any]
    scope: Mapping[str, Any] | None

    def to_bytes(self) -> bytes:
        """The content of openings.json."""
        scope = None if self.scope is None else dict(self.scope)
        return canonical.dumps({"key": self.key.hex(), "request": dict(self.request), "scope": scope})

    def refuse_mismatch(self, label: str, expected: str) -> None:
        """Raises OpeningError unless the payload of this label ("request" or "scope") opens this commitment."""
        payload = {"request": self.request, "scope": self.scope}[label]
        if payload is None:
            raise OpeningError(f"The ledger commits to a {label}, but openings.json discloses none.")
        if not hmac.compare_digest(commit(self.key, label, payload), expected):
            raise OpeningError(
                f"The disclosed {label} does not open the commitment {expected[:16]}… in the ledger: "
                "the key or the payload was changed."
            )


def parse_openings(data: bytes) -> Openings:
    """Parse openings.json; raises MalformedFileError."""
    try:
        value = canonical.loads(data)
    except ValueError as error:
        raise MalformedFileError(f"openings.json: {error}.") from error
    if not isinstance(value, dict) or set(value) != {"key", "request", "scope"}:
        raise MalformedFileError("openings.json: expected exactly the keys key, request and scope.")
    if not canonical.is_sha256(value["key"]):
        raise MalformedFileError(f"openings.json: expected a key of {KEY_BYTES} bytes in lower-case hex.")
    if not isinstance(value["request"], dict) or not isinstance(value["scope"], dict | None):
        raise MalformedFileError("openings.json: expected request to be an object and scope an object or null.")
    return Openings(key=bytes.fromhex(value["key"]), request=value["request"], scope=value["scope"])
