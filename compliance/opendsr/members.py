"""JSON as the protocol has it, read by member: each of its one type, or a refusal that names the member.

A refusal is never raised while another error is handled: that one would stay with it and quotes what was sent.
Lenient readers take duplicate names, NaN and lone surrogates; two programs would then disagree about what was asked.
An optional member that is null counts as absent. Source: RFC 8259; RFC 7493 (I-JSON); RFC 3339, section 5.6.
"""

import json
import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from compliance.evidence import canonical
from compliance.opendsr import addresses
from compliance.opendsr.errors import MessageError, Reason

MAX_BODY_BYTES = 2**18
MAX_TEXT_CHARACTERS = 512
BODY = "body"
_MAX_LEVELS = 32
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:(\.\d{1,6})\d*)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,2}", re.ASCII)
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


@dataclass(frozen=True)
class Members:
    """The members of one JSON object; `path` says where it stands and is empty for the body itself."""

    path: str
    values: Mapping[str, Any] = field(repr=False)

    def name_of(self, name: str) -> str:
        """The path of a member, for messages."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
        """A string of one character or more, all of them printable."""
        value = self._typed(name, str, "a string")
        if not value or not value.isprintable():
            self._refuse(name, Reason.WRONG_VALUE, "printable text that is not empty")
        if len(value) > max_characters:
            self._refuse(name, Reason.TOO_LARGE, f"at most {max_characters} characters")
        return str(value)

    def choice(self, name: str, choices: type[ChoiceT]) -> ChoiceT:
        """One of these words."""
        value = self._typed(name, str, "a string")
        chosen = next((choice for choice in choices if choice.value == value), None)
        if chosen is None:
            self._refuse(name, Reason.WRONG_VALUE, f"one of {', '.join(choices)}")
        return chosen

    def uuid4(self, name: str) -> uuid.UUID:
        """A version 4 UUID in lower case."""
        value = self._typed(name, str, "a string")
        if not canonical.is_uuid4(value):
            self._refuse(name, Reason.WRONG_VALUE, "a version 4 UUID in lower case")
        return uuid.UUID(value)

    def time(self, name: str) -> datetime:
        """An RFC 3339 time, in UTC, to the microsecond. A leap second is refused: Python has no value for it."""
        at = _parse_time(self._typed(name, str, "a string"))
        if at is None:
            self._refuse(name, Reason.WRONG_VALUE, "an RFC 3339 time such as 2026-05-01T12:00:00Z")
        return at

    def version(self, name: str) -> str | None:
        """A version such as 2.0, or None."""
        if not self.has(name):
            return None
        value = self._typed(name, str, "a string")
        if not _VERSION.fullmatch(value):
            self._refuse(name, Reason.WRONG_VALUE, "a version such as 2.0")
        return str(value)

    def url(self, name: str, schemes: Collection[str] = addresses.SECURE) -> str:
        """A URL of one of these schemes."""
        return checked_url(self.name_of(name), self._typed(name, str, "a string"), schemes)

    def count(self, name: str) -> int | None:
        """A whole number from 0 on, or None."""
        if not self.has(name):
            return None
        value = self.values[name]
        if not canonical.is_count(value):
            self._refuse(name, Reason.WRONG_TYPE, "a whole number from 0 on")
        return int(value)

    def array(self, name: str, max_items: int) -> list[Any]:
        """An array of at most so many items."""
        value: list[Any] = self._typed(name, list, "an array")
        if len(value) > max_items:
            self._refuse(name, Reason.TOO_LARGE, f"at most {max_items} items")
        return value

    def object(self, name: str) -> "Members":
        """A JSON object."""
        return Members(self.name_of(name), self._typed(name, dict, "an object"))

    def objects(self, name: str, max_items: int) -> Iterator["Members"]:
        """The items of an array, each a JSON object."""
        for index, value in enumerate(self.array(name, max_items)):
            path = f"{self.name_of(name)}[{index}]"
            if not isinstance(value, dict):
                raise MessageError(path, Reason.WRONG_TYPE, "an object")
            yield Members(path, value)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises MessageError for a member that is not one of these. Its name is not repeated."""
        if not self.values.keys() <= set(known):
            raise MessageError(self.path, Reason.UNKNOWN_MEMBER, f"no members but {', '.join(known)}")

    def _typed(self, name: str, kind: type, expected: str) -> Any:
        if not self.has(name):
            self._refuse(name, Reason.MISSING, expected)
        if not isinstance(self.values[name], kind):
            self._refuse(name, Reason.WRONG_TYPE, expected)
        return self.values[name]

    def _refuse(self, name: str, reason: Reason, expected: str) -> NoReturn:
        raise MessageError(self.name_of(name), reason, expected)


def checked_url(member: str, value: Any, schemes: Collection[str]) -> str:
    """A URL of one of these schemes; raises MessageError that names the member."""
    if not isinstance(value, str):
        raise MessageError(member, Reason.WRONG_TYPE, "a string")
    if not addresses.is_usable_url(value, schemes):
        expected = f"a URL of {' or '.join(sorted(schemes))} with a host, without user and fragment"
        raise MessageError(member, Reason.WRONG_VALUE, expected)
    return value


def read(body: bytes) -> Members:
    """The members of a body that is one JSON object in UTF-8; raises MessageError."""
    if len(body) > MAX_BODY_BYTES:
        raise MessageError(BODY, Reason.TOO_LARGE, f"at most {MAX_BODY_BYTES} bytes")
    value = _decode(body)
    if value is None:
        raise MessageError(BODY, Reason.NOT_JSON, "one JSON object in UTF-8, each name once in its object")
    if _n_levels(value) > _MAX_LEVELS:
        raise MessageError(BODY, Reason.TOO_LARGE, f"at most {_MAX_LEVELS} levels")
    return Members("", value)


def format_time(at: datetime) -> str:
    """UTC to the second, such as 2026-05-01T12:00:00Z; a fraction of a second is cut off. Raises ValueError if naive."""
    return canonical.format_time(at.replace(microsecond=0))


def _decode(body: bytes) -> dict[str, Any] | None:
    """None instead of an error: the decoder's own errors carry the whole body with them."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_time(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{(fraction or '.').ljust(7, '0')}{zone.upper()}")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _n_levels(value: Any) -> int:
    level, n_levels = [value], 0
    while level:
        n_levels += 1
        level = [member for container in level for member in _members_of(container)]
    return n_levels


def _members_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
