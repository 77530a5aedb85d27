"""Triggers that refuse UPDATE, DELETE and TRUNCATE on the log, as SQL for each database we run on.

On PostgreSQL they are ENABLE ALWAYS, so that `session_replication_role = replica` does not skip them. The table's
owner can still drop a trigger: that is found by a checkpoint, not prevented here (docs/evidence.md). Inserting over a
row that is there, which SQLite takes for no change of it, is refused in one_way.py.
"""

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    "ledger_ledgerentry",
    "ledger_signedcheckpoint",
    "ledger_cosignature",
    "ledger_checkpointtimestamp",
    "ledger_evidencetimestamp",
)
MESSAGE = "the ledger is append-only"

_POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '{MESSAGE}: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def install_statements(vendor: str, tables: Sequence[str] = TABLES) -> list[str]:
    """The statements that protect these tables; raises ValueError for a database we have no triggers for."""
    if vendor == "postgresql":
        return [_POSTGRES_FUNCTION, *(sql for table in tables for sql in _postgres(table))]
    if vendor == "sqlite":
        return [_sqlite(table, verb) for table in tables for verb in ("UPDATE", "DELETE")]
    raise ValueError(f"Expected PostgreSQL or SQLite, found {vendor}: the ledger cannot be made append-only there.")


def remove_statements(vendor: str, tables: Sequence[str] = TABLES) -> list[str]:
    """The reverse of `install_statements`, for migrating backwards and for emptying test databases."""
    if vendor == "postgresql":
        return [
            f"DROP TRIGGER IF EXISTS {table}_{suffix} ON {table}" for table in tables for suffix in ("row", "truncate")
        ]
    return [f"DROP TRIGGER IF EXISTS {table}_{verb.lower()}" for table in tables for verb in ("UPDATE", "DELETE")]


def execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    """Run the statements one by one."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _postgres(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()",
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_row",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_truncate",
    ]


def _sqlite(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}: {verb} on {table} refused'); END"
    )
