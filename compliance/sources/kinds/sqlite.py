"""A table of an SQLite file, through Python's own sqlite3: DuckDB would have to fetch an extension for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from compliance.sources import engine, files
from compliance.sources.errors import MalformedRowError, UnreadableSourceError
from compliance.sources.plugins import Scan, SourceKind, Values


def _rows(scan: Scan) -> Iterator[Values]:
    path = files.one(scan.folder, scan.source.location)
    try:
        # A file that nobody writes into: the source is never changed, not even by a journal that is rolled back.
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            _refuse_missing(connection, path, scan)
            for row in connection.execute(*_statement(scan)):
                if any(isinstance(value, bytes) for value in row):
                    raise MalformedRowError(f"{path.name}: a declared column holds bytes; expected text or numbers.")
                yield tuple(None if value is None else str(value) for value in row)
    except sqlite3.Error as error:
        # Its messages quote values that are no UTF-8.
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise UnreadableSourceError(f"{path.name}: the table cannot be read ({name}).") from None


def _refuse_missing(connection: sqlite3.Connection, path: Path, scan: Scan) -> None:
    """SQLite takes a quoted name that is no column for a text, so the names are compared first."""
    rows = connection.execute("SELECT name FROM pragma_table_xinfo(?)", [scan.source.table]).fetchall()
    if not rows:
        raise UnreadableSourceError(f"{path.name}: there is no table {scan.source.table!r}.")
    engine.refuse_missing(scan.columns, [row[0] for row in rows])


def _statement(scan: Scan) -> tuple[str, list[str]]:
    wanted = scan.wanted.columns if scan.wanted else ()
    conditions = [
        "typeof({0}) = 'blob' OR {0} GLOB '*{1}*' OR lower(trim({0})) = ?".format(_column(column), engine.NOT_PLAIN)
        for column in wanted
    ]
    condition = f" WHERE {' OR '.join(conditions)}" if conditions else ""
    columns = ", ".join(_column(column) for column in scan.columns)
    statement = f"SELECT {columns} FROM {engine.identifier(scan.source.table)} AS source{condition}"  # noqa: S608 - identifiers are quoted, values bound
    return statement, [scan.wanted.value] * len(wanted) if scan.wanted else []


def _column(name: str) -> str:
    return f"source.{engine.identifier(name)}"


kind = SourceKind(__name__, rows=_rows)
