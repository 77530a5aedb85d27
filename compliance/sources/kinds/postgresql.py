"""A table or view of a PostgreSQL database, through a server-side cursor in a read-only transaction.

`location` is a connection string of libpq without a password: `service=NAME`, or `postgresql://reader@host/name`. The
password comes from libpq's password file (`PGPASSFILE`), so that none is stored here.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from compliance.sources import engine
from compliance.sources.errors import DeclarationError, UnreadableSourceError
from compliance.sources.plugins import Scan, SourceKind, Values

_BATCH_ROWS = 2048
_CONNECT_SECONDS = 10


def _rows(scan: Scan) -> Iterator[Values]:
    _refuse_password(scan.source.location)
    try:
        with psycopg.connect(scan.source.location, connect_timeout=_CONNECT_SECONDS) as connection:
            connection.read_only = True
            _refuse_missing(connection, scan)
            with connection.cursor(name="expunge_source") as cursor:
                cursor.itersize = _BATCH_ROWS
                cursor.execute(_statement(scan), {"value": scan.wanted.value if scan.wanted else ""})
                yield from cursor
    except psycopg.Error as error:
        # Messages of the server quote values, those of libpq the host and user.
        state = error.sqlstate or "no answer"
        raise UnreadableSourceError(
            f"The table {scan.source.table!r} cannot be read ({type(error).__name__}, {state}). Check server, rights "
            "and password file."
        ) from None


def _refuse_password(location: str) -> None:
    try:
        parameters = conninfo_to_dict(location)
    except psycopg.ProgrammingError:
        raise DeclarationError("The location is no connection string of libpq, such as service=NAME.") from None
    if parameters.get("password"):
        raise DeclarationError("The location holds a password. Put it into the password file that PGPASSFILE names.")


def _refuse_missing(connection: psycopg.Connection, scan: Scan) -> None:
    found = connection.execute(
        "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE relname = %s AND nspname = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [scan.source.table, _schema(scan)],
    ).fetchall()
    if not found:
        raise UnreadableSourceError(f"There is no table {scan.source.table!r} in the schema {_schema(scan)!r}.")
    engine.refuse_missing(scan.columns, [row[0] for row in found])


def _statement(scan: Scan) -> sql.Composed:
    columns = sql.SQL(", ").join(_text(column) for column in scan.columns)
    table = sql.Identifier(_schema(scan), scan.source.table)
    statement = sql.SQL("SELECT {} FROM {}").format(columns, table)
    if scan.wanted is None:
        return statement
    conditions = [
        sql.SQL("{0} ~ {1} OR lower(btrim({0})) = %(value)s").format(_text(column), engine.NOT_PLAIN)
        for column in scan.wanted.columns
    ]
    return statement + sql.SQL(" WHERE ") + sql.SQL(" OR ").join(conditions)


def _text(column: str) -> sql.Composed:
    # Under "C" the range is that of code points, and `lower` changes ASCII alone.
    return sql.SQL('({}::text COLLATE "C")').format(sql.Identifier(column))


def _schema(scan: Scan) -> str:
    return scan.source.schema or "public"


kind = SourceKind(__name__, rows=_rows)
