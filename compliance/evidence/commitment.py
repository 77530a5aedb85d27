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
from functools import cached_property
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import MalformedFileError, OpeningError

KEY_BYTES = 32


def new_key() -> bytes:
    """32 random bytes; never derive them from a person or a master key."""
    return secrets.token_bytes(KEY_BYTES)


def commit(key: bytes, label: str, payload: Mapping[str, Any]) -> str:
    """The commitment as 64 hex digits. Raises ValueError for a key that is not 32 bytes or a label with a zero byte."""
    return _commit(key, label, canonical.dumps(dict(payload)))


def _commit(key: bytes, label: str, spelled: bytes) -> str:
    if len(key) != KEY_BYTES:
        raise ValueError(f"Expected a commitment key of {KEY_BYTES} bytes, found {len(key)}. Use new_key().")
    if not label or "\x00" in label:
        raise ValueError("Expected a non-empty label without a zero byte.")
    return hmac.digest(key, label.encode() + b"\x00" + spelled, "sha256").hex()


@dataclass(frozen=True, kw_only=True)
class Openings:
    """What an auditor needs to open a request's commitments. `scope` is None before a decision froze one."""

    key: bytes
    request: Mapping[str, Any]
    scope: Mapping[str, Any] | None

    def to_bytes(self) -> bytes:
        """The content of openings.json."""
        key, spelled = self.key.hex().encode(), self._spelled
        return b'{"key":"%b","request":%b,"scope":%b}' % (key, spelled["request"], spelled["scope"])

    @cached_property
    def _spelled(self) -> Mapping[str, bytes]:
        """Canonical JSON, which opens the commitments and stands in the file."""
        scope = None if self.scope is None else dict(self.scope)
        return {"request": canonical.dumps(dict(self.request)), "scope": canonical.dumps(scope)}

    def refuse_mismatch(self, label: str, expected: str) -> None:
        """Raises OpeningError unless the payload of this label ("request" or "scope") opens this commitment."""
        if {"request": self.request, "scope": self.scope}[label] is None:
            raise OpeningError(f"The ledger commits to a {label}, but openings.json discloses none.")
        if not hmac.compare_digest(_commit(self.key, label, self._spelled[label]), expected):
            raise OpeningError(
                f"The disclosed {label} does not open the commitment {expected[:16]}… in the ledger: "
                "the key or the payload was changed."
            )


def parse_openings(data: bytes) -> Openings:
    """Parse openings.json; raises MalformedFileError."""
    try:
        value = canonical.parse(data)
    except ValueError as error:
        raise MalformedFileError(f"openings.json: {error}.") from error
    if not isinstance(value, dict) or set(value) != {"key", "request", "scope"}:
        raise MalformedFileError("openings.json: expected exactly the keys key, request and scope.")
    if not canonical.is_sha256(value["key"]):
        raise MalformedFileError(f"openings.json: expected a key of {KEY_BYTES} bytes in lower-case hex.")
    if not isinstance(value["request"], dict) or not isinstance(value["scope"], dict | None):
        raise MalformedFileError("openings.json: expected request to be an object and scope an object or null.")
    openings = Openings(key=bytes.fromhex(value["key"]), request=value["request"], scope=value["scope"])
    try:
        is_canonical = openings.to_bytes() == data
    except ValueError as error:
        raise MalformedFileError(f"openings.json: {error}.") from error
    if not is_canonical:
        raise MalformedFileError("openings.json: expected canonical JSON (RFC 8785), found another spelling of it.")
    return openings
