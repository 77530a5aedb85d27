"""Parquet files. A copy keeps columns, types and order; row groups and compression are DuckDB's."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from compliance.sources import engine, files
from compliance.sources.plugins import Scan, SourceKind, Values

# Writers that do not mark text as such leave bytes: those are read as text, too.
_RELATION = "read_parquet($path, binary_as_string=true)"


def _rows(scan: Scan) -> Iterator[Values]:
    for path in files.inside(scan.folder, scan.source.location):
        with engine.explained(path.name), engine.opened([path]) as connection:
            parameters = {"path": str(path)}
            texts = engine.text_columns(connection, _RELATION, parameters, scan.columns)
            wanted = [texts[column] for column in scan.wanted.columns] if scan.wanted else []
            statement = engine.query([texts[column] for column in scan.columns], _RELATION, wanted)
            if scan.wanted:
                parameters["value"] = scan.wanted.value
            yield from engine.stream(connection, statement, parameters)


def _copy_without(path: Path, out: Path, rows: AbstractSet[int]) -> None:
    kept = engine.query(
        ["* EXCLUDE (file_row_number)"],
        f"read_parquet({engine.literal(str(path))}, file_row_number=true) "
        "ANTI JOIN (SELECT unnest($rows::BIGINT[]) AS n) ON file_row_number = n - 1",
    )
    with engine.explained(path.name), engine.opened([path, out]) as connection:
        connection.execute(
            f"COPY ({kept}) TO {engine.literal(str(out))} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
            {"rows": sorted(rows)},
        )


kind = SourceKind(__name__, rows=_rows, suffixes=(".parquet",), copy_without=_copy_without)
