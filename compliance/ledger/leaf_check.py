"""The allow-list of leaves, kept by the database itself: code that never heard of leaf.py cannot get past it.

Both tables that hold leaves refuse what is not on the list: on PostgreSQL by a CHECK constraint that calls a function,
on SQLite by a trigger. Both are made from `leaf.FACTS` and `leaf.WORDS` whenever `manage.py migrate` ends (apps.py), so
a longer list reaches the database with the release that needs it, and nobody has to think of a migration.

What is left to Python: whether the key in a leaf of evidence is a point on the curve and, on SQLite, which has no
SHA-256, whether `leaf_sha256` is the hash of the leaf. In one thing the database is stricter: a signature of evidence
has room for a P-256 signature and for nothing more.

PostgreSQL shows the beginning of a refused row in the DETAIL of its error, to whoever tried to insert it and in its own
log. Code that goes through record.py never gets there: `leaf.build` refuses before, and names no value.
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from compliance.evidence.leaf import FACTS
from compliance.ledger import leaf_check_postgres, leaf_check_sqlite

TABLES = ("ledger_pendingentry", "ledger_ledgerentry")
MESSAGE = "leaf_is_allowed"
FUNCTION = leaf_check_postgres.FUNCTION
_SIGNATURE = leaf_check_postgres.SIGNATURE


def install(connection: BaseDatabaseWrapper) -> None:
    """Bring the check of this database up to the allow-list of this code. Raises ValueError for other databases."""
    _execute(connection, lacking(connection))


def remove(connection: BaseDatabaseWrapper) -> None:
    """The reverse of `install`, for migrating backwards."""
    if connection.vendor == "postgresql":
        _execute(connection, [f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_name(table)}" for table in TABLES])
        _execute(connection, [f"DROP FUNCTION IF EXISTS {_SIGNATURE}"])
    else:
        _execute(connection, [f"DROP TRIGGER IF EXISTS {_name(table)}" for table in TABLES])


def lacking(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that this database still needs to keep the allow-list of this code; empty when it does."""
    if connection.vendor == "postgresql":
        return list(_lacking_in_postgres(connection))
    if connection.vendor == "sqlite":
        return list(_lacking_in_sqlite(connection))
    raise ValueError(f"Expected PostgreSQL or SQLite, found {connection.vendor}: the allow-list cannot be kept there.")


def _lacking_in_postgres(connection: BaseDatabaseWrapper) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTION_AS_IT_IS, [_SIGNATURE])
        found = cursor.fetchone()
    if found is None or tuple(found) != (leaf_check_postgres.source(FACTS), *leaf_check_postgres.PROPERTIES):
        yield leaf_check_postgres.create_statement(FACTS)
    for table in TABLES:
        there = "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'c'"
        if _name(table) not in _ask(connection, there, table):
            # NOT VALID: rows of an older list stay, and a dump is restored without asking for each of them again.
            yield (
                f"ALTER TABLE {table} ADD CONSTRAINT {_name(table)} "
                f"CHECK ({FUNCTION}(kind, event_type, request_id, leaf, leaf_sha256)) NOT VALID"
            )


def _lacking_in_sqlite(connection: BaseDatabaseWrapper) -> Iterator[str]:
    for table in TABLES:
        name = _name(table)
        message = f"the allow-list of leaves ({MESSAGE}): INSERT on {table} refused"
        wanted = leaf_check_sqlite.create_trigger(name, table, FACTS, message)
        found = _ask(connection, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", name)
        if found != {wanted}:
            yield from [f"DROP TRIGGER IF EXISTS {name}", wanted]


def _ask(connection: BaseDatabaseWrapper, sql: str, value: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [value])
        return {str(row[0]) for row in cursor.fetchall()}


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _name(table: str) -> str:
    return f"{table}_{MESSAGE}"


_FUNCTION_AS_IT_IS = """
SELECT prosrc, lanname, provolatile, proisstrict, prosecdef, proconfig
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang WHERE pg_proc.oid = to_regprocedure(%s)
"""
