"""One spelling for every value: RFC 8785 JSON, RFC 4648 base64, RFC 3339 times, UUIDs, digests.

Whatever is read must be written back to the same bytes. A second spelling of the same value (a duplicate key, spare
bits in base64, an upper-case digit) is refused, so that no two files mean the same and no byte is without effect.
All functions raise ValueError with the reason; callers turn it into the error of their file. No message repeats the
value that was refused: it may be the personal data that must not get in.
"""

import binascii
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

MAX_INT = 2**53 - 1
_N_DIGITS_OF_MAX_INT = len(str(MAX_INT))
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CONTAINERS = frozenset({dict, list, tuple})
_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Python's spelling of floats that ECMAScript spells in another way, where a value begins.
_OTHER_FLOAT = re.compile(r"([:,\[])(-?[0-9][0-9.]*(?:e[+-][0-9]+|(?<=\.0)))(?=[,\]}])")
_BEFORE_VALUE, _AFTER_VALUE = frozenset(":,["), frozenset(",]}")
_encode_text = json.JSONEncoder(ensure_ascii=False).encode


def _plain_encoder() -> Callable[[Any], str]:
    """The library's encoder with sorted keys, no spaces, and no look for cycles.

    The library makes the part of it that is written in C anew for each value, which takes longer than small values do.
    """
    encoder = json.JSONEncoder(
        ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    in_c = make(None, encoder.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(in_c(value, 0))


_encode_plain = _plain_encoder()


def dumps(value: Any) -> bytes:
    """RFC 8785 bytes; raises ValueError for NaN, infinities, integers from 2**53 on and lone surrogates."""
    try:
        return _dumps(value).encode()
    except (RecursionError, TypeError, UnicodeError) as error:
        raise ValueError(f"value has no canonical JSON form: {error}") from error


def _dumps(value: Any) -> str:
    floats: list[float] = []
    if not _is_plain((value,), floats):
        return _encode(value)
    # The C encoder writes the same text but for some floats, which are put right in it.
    plain = _encode_plain(value)
    if not floats:
        return plain
    if len(floats) == 1 and (text := _with_only(floats[0], plain)) is not None:
        return text
    text, n_found = _OTHER_FLOAT.subn(lambda match: match[1] + _encode_float(float(match[2])), plain)
    # More than there are: a string holds what looks like one.
    return text if n_found == len(floats) else _encode(value)


def _with_only(value: float, plain: str) -> str | None:
    """The text with this float in its other spelling; None where it is not easily found in it."""
    before, spelled, after = plain.partition(repr(value))
    if spelled in after or before[-1:] not in _BEFORE_VALUE or after[:1] not in _AFTER_VALUE:
        return None
    return before + _encode_float(value) + after


def loads(data: bytes) -> Any:
    """Parse JSON and refuse everything but its RFC 8785 spelling."""
    try:
        value = parse(data)
        again = dumps(value)
    except ValueError as error:
        raise ValueError(f"expected canonical JSON (RFC 8785), found something that is not: {error}") from error
    if again != data:
        raise ValueError("expected canonical JSON (RFC 8785), found another spelling of it")
    return value


def parse(data: bytes) -> Any:
    """Parse JSON in any spelling, for callers that build the bytes anew and compare; raises ValueError."""
    try:
        return _decode(data.decode())
    except (RecursionError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _is_plain(container: Any, floats: list[float]) -> bool:
    """Whether Python spells everything in a container as ECMAScript does, but for floats, which are added to the list."""
    members = container
    if type(container) is dict:
        members = container.values()
        try:
            is_sorted_alike = "".join(container).isascii()
        except TypeError:
            # Keys that are no strings.
            return False
        if not is_sorted_alike:
            return False
    for member in members:
        kind = type(member)
        if kind is str:
            continue
        if not (_is_plain(member, floats) if kind in _CONTAINERS else _is_plain_number(member, floats)):
            return False
    return True


def _is_plain_number(value: Any, floats: list[float]) -> bool:
    kind = type(value)
    if kind is float:
        # Between these bounds both write plain decimals; a whole number loses its `.0` in ECMAScript.
        if not 1e-4 <= abs(value) < 1e16 or value.is_integer():
            floats.append(value)
        return True
    if kind is int:
        return bool(-MAX_INT <= value <= MAX_INT)
    return value is None or kind is bool


def _encode(value: Any) -> str:
    if isinstance(value, str):
        return _encode_text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise ValueError(
                f"canonical JSON has whole numbers up to 2**53 - 1, found one of {value.bit_length()} bits"
            )
        return int.__repr__(value)
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("JSON has strings as keys, found another type")
        # RFC 8785, section 3.2.3: names are sorted by their UTF-16 code units.
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_encode_text(key)}:{_encode(member)}" for key, member in members) + "}"
    raise ValueError(f"JSON has no such value as a {type(value).__name__}")


def _encode_float(value: float) -> str:
    """ECMA-262, Number::toString: the shortest digits that read back, which `repr` finds, in another layout."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        raise ValueError("JSON has finite numbers only, found NaN or an infinity")
    sign, digits, exponent = _digits_of(value)
    point = exponent + len(digits)
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _digits_of(value: float) -> tuple[str, str, int]:
    """Sign, significant digits and exponent, so that the value is digits times ten to the exponent."""
    sign = "-" if value < 0 else ""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) - len(fraction)
    significant = digits.rstrip("0")
    return sign, significant, exponent + len(digits) - len(significant)


def _parse_integer(digits: str) -> int | float:
    """JSON knows one kind of number: from 2**53 on digits stand for a double, and are refused where they do not."""
    if len(digits) < _N_DIGITS_OF_MAX_INT:
        return int(digits)
    value = float(digits)
    return int(digits) if abs(value) <= MAX_INT else value


_decode = json.JSONDecoder(parse_int=_parse_integer).decode


def digest(value: Any) -> str:
    """Hex SHA-256 of the canonical JSON of a value."""
    return sha256(dumps(value)).hexdigest()


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: object) -> bytes:
    """Standard base64 with padding; spare bits must be zero, or two texts would carry the same bytes."""
    if not isinstance(text, str):
        raise ValueError(f"expected base64, found a value of type {type(text).__name__}")
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise ValueError("expected base64, found a character or a length that it does not have") from error
    # The bytes before the last whole group of three have one spelling only.
    last = (len(data) - 1) // 3 * 3 if data else 0
    if encode_base64(data[last:]) != text[last // 3 * 4 :]:
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
    return isinstance(value, str) and _UUID4.fullmatch(value) is not None


def is_count(value: object) -> bool:
    """A whole number from 0 to 2**53 - 1. True and False are not numbers here."""
    return type(value) is int and 0 <= value <= MAX_INT


def is_time(value: object) -> bool:
    """A time in the one spelling of `format_time`."""
    try:
        parse_time(value)
    except ValueError:
        return False
    return True


def is_date(value: object) -> bool:
    """A day in the one spelling of RFC 3339, such as 2026-05-01."""
    try:
        return (
            isinstance(value, str)
            and len(value) == len("2026-05-01")
            and date.fromisoformat(value).isoformat() == value
        )
    except ValueError:
        return False


def format_time(at: datetime) -> str:
    """UTC to the second, as 2026-05-01T12:00:00Z; naive times and fractions of a second are refused."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"expected a time with a zone, found the naive {at.isoformat()}")
    if at.microsecond:
        raise ValueError(f"expected a time to the second, found {at.isoformat()}")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_time(text: Any) -> datetime:
    """The inverse of `format_time`."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("expected a time such as 2026-05-01T12:00:00Z, found something else")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("expected a time such as 2026-05-01T12:00:00Z, found a day or hour that is none") from error
