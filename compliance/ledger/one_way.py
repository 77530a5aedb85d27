"""Triggers for rows that may change, but only one way, as SQL for each database we run on.

A log only grows, is ended once and keeps its origin. A published key stays what it is; its end and the moment from
which it is distrusted are set, or set earlier, and never taken back. On PostgreSQL the outbox draws the id of an entry
itself: one that is in the log already would stop the sequencer for ever. On SQLite `INSERT OR REPLACE` deletes the row
that it replaces without calling a trigger for that, so inserting over a row is refused before.

Both are brought up to date whenever `manage.py migrate` ends (apps.py): a later migration may make a table anew.
"""

# ruff: noqa: S608 - a trigger has no parameters, and all that is put into its text are constants of this code.

from collections.abc import Iterator, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from compliance.ledger import append_only

MESSAGE = "the ledger goes one way"
LOG, PUBLIC_KEY, OUTBOX = "ledger_log", "ledger_publickey", "ledger_pendingentry"
SETTINGS = ["search_path=pg_catalog, pg_temp"]

# Columns that never change.
_FIXED: Mapping[str, tuple[str, ...]] = {
    LOG: ("number", "origin", "first_position", "opened_at"),
    PUBLIC_KEY: ("text_sha256", "key_sha256", "purpose", "text", "published_at", "valid_from"),
}
# What must not be, of each table, in words that both databases understand.
_BACKWARDS: Mapping[str, tuple[str, ...]] = {
    LOG: (
        "NEW.size < OLD.size",
        "NEW.needs_other_key < OLD.needs_other_key",
        "(OLD.frozen_at IS NOT NULL AND (NEW.frozen_at IS NULL OR NEW.frozen_at <> OLD.frozen_at))",
    ),
    PUBLIC_KEY: tuple(
        f"(OLD.{column} IS NOT NULL AND (NEW.{column} IS NULL OR NEW.{column} > OLD.{column}))"
        for column in ("valid_until", "distrusted_from")
    ),
}
# Tables of SQLite in which no row may be written over another.
_KEPT = (*append_only.TABLES, LOG, PUBLIC_KEY)
# Trigger → table, event, whether it holds for replicas too. The function has the name of the trigger.
POSTGRES_TRIGGERS: Mapping[str, tuple[str, str, bool]] = {
    "ledger_log_one_way": (LOG, "UPDATE", True),
    "ledger_publickey_one_way": (PUBLIC_KEY, "UPDATE", True),
    # A replica keeps the ids of the original.
    "ledger_pendingentry_own_id": (OUTBOX, "INSERT", False),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Bring the triggers of this database up to this code. Raises ValueError for other databases."""
    append_only.execute(connection, lacking(connection))


def remove(connection: BaseDatabaseWrapper) -> None:
    """The reverse of `install`, for migrating backwards and for tests that damage a log."""
    if connection.vendor == "postgresql":
        triggers = [
            (f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()")
            for name, (table, _, _) in POSTGRES_TRIGGERS.items()
        ]
        append_only.execute(connection, [statement for pair in triggers for statement in pair])
    else:
        append_only.execute(connection, [f"DROP TRIGGER IF EXISTS {name}" for name in _sqlite_triggers(connection)])


def lacking(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that this database still needs; empty when it has every trigger of this code."""
    if connection.vendor == "postgresql":
        return list(_lacking_in_postgres(connection))
    if connection.vendor == "sqlite":
        return list(_lacking_in_sqlite(connection))
    raise ValueError(f"Expected PostgreSQL or SQLite, found {connection.vendor}: the ledger cannot be protected there.")


def _lacking_in_postgres(connection: BaseDatabaseWrapper) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTIONS, [list(POSTGRES_TRIGGERS)])
        functions = {name: (body, settings) for name, body, settings in cursor.fetchall()}
        cursor.execute(_TRIGGERS, [list(POSTGRES_TRIGGERS)])
        triggers = dict(cursor.fetchall())
    for name, (table, event, is_always) in POSTGRES_TRIGGERS.items():
        if functions.get(name) != (_body(table), SETTINGS):
            yield (
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
                f"SET search_path = pg_catalog, pg_temp AS $body${_body(table)}$body$"
            )
        if triggers.get(name) is None:
            yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        if triggers.get(name) != ("A" if is_always else "O"):
            yield f"ALTER TABLE {table} ENABLE {'ALWAYS ' if is_always else ''}TRIGGER {name}"


def _body(table: str) -> str:
    if table == OUTBOX:
        return "\nBEGIN\n    NEW.entry_id := gen_random_uuid();\n    RETURN NEW;\nEND\n"
    fixed = [f"NEW.{column} <> OLD.{column}" for column in _FIXED[table]]
    return f"""
BEGIN
    IF {" OR ".join([*fixed, *_BACKWARDS[table]])}
    THEN RAISE EXCEPTION '{_refusal(table)}' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
"""


def _lacking_in_sqlite(connection: BaseDatabaseWrapper) -> Iterator[str]:
    wanted = _sqlite_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = dict(cursor.fetchall())
    for name, statement in wanted.items():
        if found.get(name) != statement:
            yield from [f"DROP TRIGGER IF EXISTS {name}", statement]


def _sqlite_triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Name → statement, as the schema table keeps it."""
    triggers = {}
    for table, columns in _FIXED.items():
        # SQLite keeps rows in which a fixed column is NULL, or of another type, no matter what the schema says.
        conditions = [*(f"NEW.{column} IS NOT OLD.{column}" for column in columns), *_BACKWARDS[table]]
        triggers[f"{table}_one_way"] = (
            f"CREATE TRIGGER {table}_one_way BEFORE UPDATE ON {table} WHEN {' OR '.join(conditions)} "
            f"BEGIN SELECT RAISE(ABORT, '{_refusal(table)}'); END"
        )
    for table in _KEPT:
        is_there = " OR ".join(_same_key(columns) for columns in [("rowid",), *_unique_columns(connection, table)])
        triggers[f"{table}_insert"] = (
            f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {is_there}) "
            f"BEGIN SELECT RAISE(ABORT, '{append_only.MESSAGE}: INSERT over a row of {table} refused'); END"
        )
    return triggers


def _unique_columns(connection: BaseDatabaseWrapper, table: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT index_list.name, index_info.name FROM pragma_index_list(%s) AS index_list, "
            'pragma_index_info(index_list.name) AS index_info WHERE index_list."unique" ORDER BY 1, seqno',
            [table],
        )
        rows = cursor.fetchall()
    keys: dict[str, list[str]] = {}
    for index, column in rows:
        keys.setdefault(index, []).append(column)
    return sorted(tuple(columns) for columns in keys.values())


def _same_key(columns: tuple[str, ...]) -> str:
    return "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in columns) + ")"


def _refusal(table: str) -> str:
    return f"{MESSAGE}: UPDATE on {table} refused"


_FUNCTIONS = """
SELECT proname, prosrc, proconfig FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%s)
"""
_TRIGGERS = """
SELECT tgname, tgenabled FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND tgname = ANY(%s)
"""
