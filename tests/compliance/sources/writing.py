"""The same rows as a source of each kind that is a file."""

import csv
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from compliance.sources.declaration import SourceDeclaration, SubjectColumn

#: Record id and address.
Row = tuple[str, str | None]


def declared(
    kind: str, location: str, *, table: str = "", record_columns: tuple[str, ...] = ("id",)
) -> SourceDeclaration:
    """Records named by `id`, persons in `address`."""
    subjects = (SubjectColumn(column="address", kind="email"),)
    return SourceDeclaration(
        kind=kind, location=location, table=table, record_columns=record_columns, subjects=subjects
    )


def in_csv(folder: Path, rows: Sequence[Row]) -> SourceDeclaration:
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "id", "address"])
        writer.writerows(('a "quoted"\nline, and a comma', *row) for row in rows)
    return declared("csv", "rows.csv")


def in_jsonl(folder: Path, rows: Sequence[Row]) -> SourceDeclaration:
    lines = (json.dumps({"text": "\n", "id": name, "address": address}) for name, address in rows)
    (folder / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return declared("jsonl", "rows.jsonl")


def in_parquet(folder: Path, rows: Sequence[Row]) -> SourceDeclaration:
    with duckdb.connect() as connection:
        _fill(connection, "rows", rows)
        connection.execute(f"COPY rows TO '{folder / 'rows.parquet'}' (FORMAT parquet)")
    return declared("parquet", "rows.parquet")


def in_duckdb(folder: Path, rows: Sequence[Row]) -> SourceDeclaration:
    (folder / "rows.duckdb").unlink(missing_ok=True)
    with duckdb.connect(folder / "rows.duckdb") as connection:
        _fill(connection, '"odd ""name"', rows)
    return declared("duckdb", "rows.duckdb", table='odd "name')


def in_sqlite(folder: Path, rows: Sequence[Row]) -> SourceDeclaration:
    (folder / "rows.sqlite").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "rows.sqlite")) as connection:
        connection.execute('CREATE TABLE "odd ""name" (id TEXT, text TEXT, address TEXT)')
        connection.executemany('INSERT INTO "odd ""name" VALUES (?, \'\', ?)', rows)
        connection.commit()
    return declared("sqlite", "rows.sqlite", table='odd "name')


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    connection.execute(f"CREATE TABLE {table} (id VARCHAR, text VARCHAR, address VARCHAR)")
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES (?, '', ?)", rows)  # noqa: S608 - a name of these tests


WRITERS: dict[str, Callable[[Path, Sequence[Row]], SourceDeclaration]] = {
    "csv": in_csv,
    "jsonl": in_jsonl,
    "parquet": in_parquet,
    "duckdb": in_duckdb,
    "sqlite": in_sqlite,
}
