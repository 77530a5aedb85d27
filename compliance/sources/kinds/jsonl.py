"""JSON Lines: one object in each line, in UTF-8; columns are members of the object. Empty lines are no rows.

A member may be missing in a line, and then names nobody. So a line that spells the name of a column in another way
(`Email` for `email`) is refused, unless that is a declared column, too: whoever it names would be missed.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import duckdb

from compliance.sources import engine, files
from compliance.sources.errors import MalformedRowError
from compliance.sources.plugins import Scan, SourceKind, Values

_RELATION = "read_ndjson_objects($path, maximum_object_size=16777216)"


def _rows(scan: Scan) -> Iterator[Values]:
    for path in files.inside(scan.folder, scan.source.location):
        with engine.explained(path.name), engine.opened([path]) as connection:
            _refuse_malformed(connection, path, scan.columns)
            texts = {column: f"json_extract_string(json, {_pointer(column)})" for column in scan.columns}
            wanted = [texts[column] for column in scan.wanted.columns] if scan.wanted else []
            statement = engine.query(list(texts.values()), _RELATION, wanted)
            value = {"value": scan.wanted.value} if scan.wanted else {}
            yield from engine.stream(connection, statement, {"path": str(path), **value})


def _refuse_malformed(connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[str]) -> None:
    """A pass before any row is given out: a member that is missing in one line may be there in another."""
    nested = [f"json_type(json, {_pointer(column)}) IN ('OBJECT', 'ARRAY')" for column in columns]
    twice = "len(json_keys(json)) <> len(list_distinct(json_keys(json)))"
    respelled = [_is_respelled(column, columns) for column in columns]
    problem = f"json_type(json) <> 'OBJECT' OR {twice} OR {' OR '.join([*nested, *respelled])}"
    seen = [f"coalesce(bool_or(json_exists(json, {_pointer(column)})), true)" for column in columns]
    statement = engine.query([f"coalesce(bool_or({problem}), false)", *seen], _RELATION)
    try:
        ((is_malformed, *is_there),) = engine.stream(connection, statement, {"path": str(path)})
    except duckdb.InvalidInputException:
        raise _first_problem(path, columns) from None
    if is_malformed:
        raise _first_problem(path, columns)
    engine.refuse_missing(columns, [column for column, found in zip(columns, is_there, strict=True) if found])


def _is_respelled(column: str, columns: Sequence[str]) -> str:
    """Whether a member that is no column has a column's name but for capitals, spaces and characters that nobody sees."""
    folded = "lower(regexp_replace(nfc_normalize({}), '[\\pC\\pZ]', '', 'g'))"
    is_declared = f"member IN ({', '.join(map(engine.literal, columns))})"
    is_same = f"{folded.format('member')} = {folded.format(engine.literal(column))}"
    return f"len(list_filter(json_keys(json), lambda member: NOT {is_declared} AND {is_same})) > 0"


def _first_problem(path: Path, columns: Sequence[str]) -> MalformedRowError:
    """The number DuckDB gives is not always that of the line, so the line is looked for."""
    for number, line in enumerate(files.lines(path), 1):
        problem = _problem(line, columns) if line.strip() else ""
        if problem:
            return MalformedRowError(f"{path.name}: line {number} {problem}.")
    return MalformedRowError(f"{path.name}: a line is no JSON object in UTF-8 of at most 16 MiB.")


def _problem(line: bytes, columns: Sequence[str]) -> str:
    try:
        pairs = json.loads(line.decode(), object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return "is no JSON in UTF-8, or nested too deep"
    if not isinstance(pairs, _Members):
        return "is no JSON object"
    members = dict(pairs)
    if len(members) != len(pairs):
        return "names a member twice"
    nested = [column for column in columns if isinstance(members.get(column), list)]
    if nested:
        return f"has a list or an object as {nested[0]!r}; expected one text or number"
    names = {_folded(name) for name in members.keys() - set(columns)}
    respelled = [column for column in columns if _folded(column) in names]
    if respelled:
        return f"names {respelled[0]!r} in another spelling. Correct it, or declare that member as well"
    return ""


def _folded(name: str) -> str:
    seen = (
        character for character in unicodedata.normalize("NFC", name) if unicodedata.category(character)[0] not in "CZ"
    )
    return "".join(seen).lower()


class _Members(list[tuple[str, Any]]):
    """The members of an object as they stand."""


def _pointer(column: str) -> str:
    """RFC 6901."""
    return engine.literal("/" + column.replace("~", "~0").replace("/", "~1"))


def _copy_without(path: Path, out: Path, rows: AbstractSet[int]) -> None:
    number = 0
    with out.open("wb") as file:
        for line in files.lines(path):
            number += bool(line.strip())
            if line.strip() and number not in rows:
                file.write(line)


kind = SourceKind(__name__, rows=_rows, suffixes=(".jsonl", ".ndjson"), copy_without=_copy_without)
