"""DuckDB behind a lock: it sees the files it is given and nothing else, and never fetches an extension.

Its messages quote the rows they complain about, so none of them is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from compliance.sources.errors import MalformedRowError, MissingColumnError, SourceError, UnreadableSourceError

BATCH_ROWS = 2048
# In every engine: a character that is not printable ASCII, where `lower` and `trim` differ from Python's.
NOT_PLAIN = "[^ -~]"
_CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "memory_limit": "1GB",
    "temp_directory": "",
    "threads": "2",
}
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_NESTED = re.compile(r"\[\d*\]$|^(STRUCT|MAP|UNION|BLOB|VARIANT|GEOMETRY)")


@contextmanager
def opened(paths: Sequence[Path], *, database: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may touch `paths` alone; `database` is attached read-only as `source`."""
    with duckdb.connect(config=_CONFIG) as connection:
        if database is not None:
            connection.execute(f"ATTACH {literal(str(database))} AS source (TYPE duckdb, READ_ONLY)")
        connection.execute(f"SET allowed_paths = [{', '.join(literal(str(path)) for path in paths)}]")
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Raises SourceError in place of DuckDB's errors; without a cause, which would show the row in a traceback."""
    try:
        yield
    except duckdb.Error as error:
        raise _explanation(name, error) from None


def stream(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, in the order of the source, a batch at a time."""
    cursor = connection.execute(statement, dict(parameters))
    while rows := cursor.fetchmany(BATCH_ROWS):
        yield from rows


def query(expressions: Sequence[str], relation: str, wanted: Sequence[str] = (), unless: str = NOT_PLAIN) -> str:
    """SELECT the expressions; if any are `wanted`, only rows where one of these may spell `$value`."""
    plain = [f"regexp_matches({text}, {literal(unless)}) OR lower(trim({text})) = $value" for text in wanted]
    condition = f" WHERE {' OR '.join(plain)}" if plain else ""
    return f"SELECT {', '.join(expressions)} FROM {relation}{condition}"  # noqa: S608 - identifiers are quoted, values bound


def text_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, parameters: Mapping[str, Any], columns: Sequence[str]
) -> dict[str, str]:
    """For each column the expression of its text. Raises MissingColumnError; MalformedRowError for lists and the like."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}", dict(parameters)).fetchall()  # noqa: S608 - as above
    types = {str(row[0]): str(row[1]) for row in described}
    refuse_missing(columns, list(types))
    for column in columns:
        if _NESTED.search(types[column]):
            raise MalformedRowError(
                f"Column {column!r} holds values of type {types[column]}; expected one text or number in each row."
            )
    return {column: f"CAST({identifier(column)} AS VARCHAR)" for column in columns}


def refuse_missing(columns: Sequence[str], found: Sequence[str]) -> None:
    """Raises MissingColumnError."""
    missing = [column for column in columns if column not in found]
    if missing:
        raise MissingColumnError(f"There is no column {missing[0]!r}; found {', '.join(map(repr, found)) or 'none'}.")


def identifier(name: str) -> str:
    """A quoted identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted text of SQL, where a statement takes no parameter."""
    return "'" + text.replace("'", "''") + "'"


def _explanation(name: str, error: duckdb.Error) -> SourceError:
    line = _CSV_LINE.search(str(error))
    if line:
        # DuckDB counts records, the header among them.
        return MalformedRowError(
            f"{name}: row {int(line[1]) - 1} (the header not counted) is malformed. Expected RFC 4180 in UTF-8: as many "
            "fields as the header has, and quotes that are closed."
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return UnreadableSourceError(f"{name}: a row or row group needs more than {_CONFIG['memory_limit']} of memory.")
    return UnreadableSourceError(
        f"{name}: it cannot be read as what it is declared to be ({type(error).__name__}). Check its kind and its contents."
    )
