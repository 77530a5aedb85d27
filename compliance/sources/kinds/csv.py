"""CSV files as RFC 4180 has them, in UTF-8, the first record naming the columns. Nothing is guessed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import duckdb

from compliance.sources import engine, files
from compliance.sources.errors import MalformedRowError
from compliance.sources.plugins import Scan, SourceKind, Values

# The dialect is fixed: a wrong guess drops rows without a word. Columns have names of ours, because DuckDB's are
# case-insensitive.
_RELATION = (
    "read_csv($path, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', strict_mode=true, "
    " max_line_size=8388608, buffer_size=16777216, columns={{{columns}}})"
)


def _rows(scan: Scan) -> Iterator[Values]:
    for path in files.inside(scan.folder, scan.source.location):
        with engine.explained(path.name), engine.opened([path]) as connection:
            header = _header(path)
            engine.refuse_missing(scan.columns, header)
            names = {column: f"c{number}" for number, column in enumerate(header)}
            relation = _RELATION.format(columns=", ".join(f"'{name}': 'VARCHAR'" for name in names.values()))
            _refuse_lost_rows(connection, path, relation, len(header))
            wanted = [names[column] for column in scan.wanted.columns] if scan.wanted else []
            statement = engine.query([names[column] for column in scan.columns], relation, wanted)
            value = {"value": scan.wanted.value} if scan.wanted else {}
            yield from engine.stream(connection, statement, {"path": str(path), **value})


def _refuse_lost_rows(connection: duckdb.DuckDBPyConnection, path: Path, relation: str, n_columns: int) -> None:
    """Quotes or line breaks that DuckDB understands in another way than RFC 4180 can make rows vanish silently."""
    ((n_read,),) = engine.stream(connection, engine.query(["count(*)"], relation), {"path": str(path)})
    n_there = sum(1 for _ in _data(path, n_columns))
    if n_read != n_there:
        raise MalformedRowError(
            f"{path.name}: {n_there} rows were counted, {n_read} could be read. Expected RFC 4180: one kind of line "
            "break, and quotes around fields that hold one."
        )


def _data(path: Path, n_columns: int) -> Iterator[bytes]:
    """The records after the header. With one column an empty line is a row without a value, else it is none."""
    records = files.csv_records(path)
    next(records, b"")
    return (record for record in records if n_columns == 1 or record.strip(b"\r\n"))


def _header(path: Path) -> list[str]:
    """The names of the columns. Raises MalformedRowError."""
    raw = next(files.csv_records(path), b"")
    try:
        (header,) = csv.reader([raw.decode("utf-8-sig").rstrip("\r\n")], strict=True)
    except (ValueError, csv.Error):
        raise MalformedRowError(f"{path.name}: the first line names no columns (comma-separated, in UTF-8).") from None
    if len(set(header)) != len(header):
        raise MalformedRowError(f"{path.name}: two columns have one name.")
    return header


def _copy_without(path: Path, out: Path, rows: AbstractSet[int]) -> None:
    n_columns = len(_header(path))
    with out.open("wb") as file:
        file.write(next(files.csv_records(path), b""))
        file.writelines(record for number, record in enumerate(_data(path, n_columns), 1) if number not in rows)


kind = SourceKind(__name__, rows=_rows, suffixes=(".csv",), copy_without=_copy_without)
