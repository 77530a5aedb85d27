"""A table of a DuckDB database file. `schema` may be left out for `main`."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.sources import engine, files
from compliance.sources.errors import UnreadableSourceError
from compliance.sources.plugins import Scan, SourceKind, Values


def _rows(scan: Scan) -> Iterator[Values]:
    path = files.one(scan.folder, scan.source.location)
    schema, table = scan.source.schema or "main", scan.source.table
    relation = f"source.{engine.identifier(schema)}.{engine.identifier(table)}"
    with engine.explained(path.name), engine.opened([path], database=path) as connection:
        found = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'source' AND schema_name = $schema "
            "AND table_name = $table",
            {"schema": schema, "table": table},
        ).fetchone()
        if found != (1,):
            raise UnreadableSourceError(f"{path.name}: there is no table {table!r} in the schema {schema!r}.")
        texts = engine.text_columns(connection, relation, {}, scan.columns)
        wanted = [texts[column] for column in scan.wanted.columns] if scan.wanted else []
        value = {"value": scan.wanted.value} if scan.wanted else {}
        yield from engine.stream(
            connection, engine.query([texts[column] for column in scan.columns], relation, wanted), value
        )


kind = SourceKind(__name__, rows=_rows)
