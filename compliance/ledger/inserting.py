"""Stores new rows in few round trips to the database: receiving a request is mostly waiting for answers that say nothing.

The ORM asks for the generated key after each INSERT and waits for it. Here nobody asks, and on PostgreSQL a block of
statements goes out together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from psycopg import Cursor


@contextmanager
def together() -> Iterator[None]:
    """Send the statements of this block without waiting for each; use it inside a transaction.

    Whoever fetches a result waits for those before it. An error of any of them is raised at the latest at the end of
    the block, as the exception of Django that it is elsewhere.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def insert(row: Model) -> None:
    """Store a new row as it is. A key that the database generates is not read back, and no signal is sent."""
    statement, fields = _statement(type(row))
    # Looked up once: `connection` looks for the thread's own at each use.
    database = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), database) for field in fields]
    with _cursor(database) as cursor:
        cursor.execute(statement, values)
    row._state.adding = False  # noqa: SLF001  how Django marks a stored row; a later save() would insert it again


def _cursor(database: BaseDatabaseWrapper) -> CursorWrapper:
    """One whose statements PostgreSQL prepares; the others are put together here, and read and planned anew each time."""
    if database.vendor != "postgresql":
        return database.cursor()
    database.ensure_connection()
    # The stubs want the wrapper that this makes.
    cursor: Any = Cursor(database.connection)
    return database.make_debug_cursor(cursor) if database.queries_logged else database.make_cursor(cursor)


@cache
def _statement(model: type[Model]) -> tuple[str, tuple[Field[Any, Any], ...]]:
    quoted, table = connection.ops.quote_name, model._meta  # noqa: SLF001  documented, despite its name
    fields = tuple(field for field in table.concrete_fields if not field.db_returning)
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    # Names of our own models alone, quoted by Django.
    return f"INSERT INTO {quoted(table.db_table)} ({columns}) VALUES ({marks})", fields  # noqa: S608  see above
