"""JSON as it comes in: one reading of every body, or a refusal. Nothing that was sent is repeated in a message.

Lenient readers accept duplicate keys, NaN and lone surrogates; two programs then disagree about what a request says,
or a value arrives that no database stores. Source: RFC 8259 sections 4, 6, 8.1 and 8.2; RFC 7493 (I-JSON).
"""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

#: Levels of nesting; the deepest body of this API has two.
MAX_DEPTH = 8


class StrictJSONParser(JSONParser):
    """application/json in UTF-8, at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes (checked where the body is read)."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value of the body; raises ParseError, which becomes a 400."""
        value = _loads(stream.read())
        _refuse_unstorable(value)
        return value


def _loads(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise ParseError("Expected JSON in UTF-8; the body is not UTF-8.") from error
    except RecursionError as error:
        raise ParseError(f"Expected JSON of at most {MAX_DEPTH} levels; the body is nested deeper.") from error
    except ValueError as error:
        # Python also refuses whole numbers of more than 4300 digits with this error.
        raise ParseError("Expected JSON; the body is not, or holds a number that is too long.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("Expected each member once; an object of the body names one twice.")
    return found


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ParseError("Expected numbers that a computer can hold; the body holds a larger one.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError("Expected JSON; NaN and Infinity are not part of it.")


def _refuse_unstorable(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"Expected JSON of at most {MAX_DEPTH} levels; the body is nested deeper.")
        for text in level:
            if isinstance(text, str) and not _is_storable(text):
                raise ParseError("Expected text without NUL characters and without halves of surrogate pairs.")
        level = [member for container in level for member in _members(container)]


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
