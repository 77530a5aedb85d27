"""One spelling for every value: RFC 8785 JSON, RFC 4648 base64, RFC 3339 times, UUIDs, digests.

Whatever is read must be written back to the same bytes. A second spelling of the same value (a duplicate key, spare
bits in base64, an upper-case digit) is refused, so that no two files mean the same and no byte is without effect.
All functions raise ValueError with the reason; callers turn it into the error of their file. No message repeats the
value that was refused: it may be the personal data that must not get in.
"""

import base64
import binascii
import json
import re
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785

MAX_INT = 2**53 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def dumps(value: Any) -> bytes:
    """RFC 8785 bytes; raises ValueError for NaN, infinities, integers from 2**53 on and lone surrogates."""
    try:
        return rfc8785.dumps(value)
    except (RecursionError, UnicodeError) as error:
        raise ValueError(f"value has no canonical JSON form: {error}") from error


def loads(data: bytes) -> Any:
    """Parse JSON and refuse everything but its RFC 8785 spelling."""
    try:
        value = json.loads(data, parse_int=_parse_integer)
        again = dumps(value)
    except (RecursionError, UnicodeError, ValueError) as error:
        raise ValueError(f"expected canonical JSON (RFC 8785), found something that is not: {error}") from error
    if again != data:
        raise ValueError("expected canonical JSON (RFC 8785), found another spelling of it")
    return value


def _parse_integer(digits: str) -> int | float:
    """JSON knows one kind of number: from 2**53 on digits stand for a double, and are refused where they do not."""
    value = float(digits)
    return int(digits) if abs(value) <= MAX_INT else value


def digest(value: Any) -> str:
    """Hex SHA-256 of the canonical JSON of a value."""
    return sha256(dumps(value)).hexdigest()


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: object) -> bytes:
    """Standard base64 with padding; spare bits must be zero, or two texts would carry the same bytes."""
    if not isinstance(text, str):
        raise ValueError(f"expected base64, found a value of type {type(text).__name__}")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error) as error:
        raise ValueError("expected base64, found a character or a length that it does not have") from error
    if encode_base64(data) != text:
        raise ValueError("expected canonical base64, found spare bits or a second spelling")
    return data


def is_sha256(value: object) -> bool:
    """64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_code(value: object) -> bool:
    """A short lower-case word. It has no `@` and no space, so nobody's name or address fits in by accident."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def is_uuid4(value: object) -> bool:
    """A version 4 UUID in its lower-case spelling with hyphens."""
    if not isinstance(value, str):
        return False
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        return False
    return parsed.version == 4 and str(parsed) == value


def is_count(value: object) -> bool:
    """A whole number from 0 to 2**53 - 1. True and False are not numbers here."""
    return type(value) is int and 0 <= value <= MAX_INT


def format_time(at: datetime) -> str:
    """UTC to the second, as 2026-05-01T12:00:00Z; naive times and fractions of a second are refused."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"expected a time with a zone, found the naive {at.isoformat()}")
    if at.microsecond:
        raise ValueError(f"expected a time to the second, found {at.isoformat()}")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_time(text: Any) -> datetime:
    """The inverse of `format_time`."""
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        again = format_time(at)
    except (TypeError, ValueError) as error:
        raise ValueError("expected a time such as 2026-05-01T12:00:00Z, found something else") from error
    if again != text:
        raise ValueError("expected a time such as 2026-05-01T12:00:00Z, found another spelling of it")
    return at
