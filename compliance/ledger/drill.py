"""Tries as each database role what it may and may not do, and compares with role_matrix.py.

Nothing is read from a table of rights where it can be tried: each attempt is a statement under the role's own session,
in a transaction that is rolled back. Statements touch no row (WHERE false): PostgreSQL asks for the right all the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from compliance.ledger import append_only, one_way, role_matrix, roles

YES = "yes"
NO = "no"
# The right is there, but the append-only trigger refuses.
TRIGGER = "trigger"
PUBLIC = "PUBLIC"
WHOLE_DATABASE = "(database)"

_LOCK_SECONDS = 5
_PERMISSION = "42501"
# Reasons to refuse that PostgreSQL finds after it has looked at the rights: constraints (class 23), foreign keys and
# views that lean on a table (0A000, 2BP01), constraints of this transaction that wait to be checked (55006).
_BEYOND_PERMISSION = ("0A000", "2BP01", "55006")
# Tried with all columns, and where that is refused with each alone.
_COLUMN_VERBS = {
    "SELECT": "SELECT {columns} FROM {table} WHERE false",
    "INSERT": "INSERT INTO {table} ({columns}) SELECT {nulls} WHERE false",
    "UPDATE": "UPDATE {table} SET ({columns}) = ROW({nulls}) WHERE false",
}
_TABLE_VERBS = {
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
    "DISABLE TRIGGER": "ALTER TABLE {table} DISABLE TRIGGER USER",
    "CREATE TRIGGER": (
        "CREATE TRIGGER ledger_drill BEFORE UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "DROP TABLE": "DROP TABLE {table}",
}


class DrillError(RuntimeError):
    """The drill cannot be held here, or an attempt ended in a way that says nothing about rights."""


@dataclass(frozen=True)
class Trial:
    """One attempt: "yes", "no", "trigger", or the columns for which it was "yes"."""

    role: str
    target: str
    verb: str
    expected: str
    found: str

    @property
    def is_as_expected(self) -> bool:
        """Whether the role can do what the matrix says, and no more."""
        return self.expected == self.found


def hold(connection: BaseDatabaseWrapper) -> list[Trial]:
    """Every attempt by every role; leaves no trace.

    Raises DrillError for another database than PostgreSQL, for an account that is no superuser, where a role is
    missing, and when a table stays locked by others.
    """
    if connection.vendor != "postgresql":
        raise DrillError(
            f"Expected PostgreSQL, found {connection.vendor}, which has no roles. There is nothing to try."
        )
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _refuse_to_begin(cursor)
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        tables = _tables(cursor)
        trials = [trial for role in role_matrix.ROLES for trial in _as_role(cursor, role, tables)]
        trials += [*_sequences(cursor), *_public(cursor), *_triggers(cursor)]
        transaction.set_rollback(True, using=connection.alias)
    return trials


def lines(trials: Iterable[Trial]) -> Iterator[str]:
    """A line for each role and table, with what was found; "yes, expected no" where it is not as the matrix says."""
    rows: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        rows.setdefault((trial.role, trial.target), []).append(trial)
    for (role, target), found in rows.items():
        yield f"{role:12}  {target:34}  " + "  ".join(f"{trial.verb}: {_said(trial)}" for trial in found)


def _said(trial: Trial) -> str:
    return trial.found if trial.is_as_expected else f"{trial.found.upper()}, EXPECTED {trial.expected.upper()}"


def _refuse_to_begin(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if not cursor.fetchone()[0]:
        raise DrillError("Only a superuser can take every role. Give the drill a superuser's DATABASE_URL.")
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(role_matrix.ROLES)])
    missing = set(role_matrix.ROLES) - {name for (name,) in cursor.fetchall()}
    if missing:
        raise DrillError(f"These roles are missing: {', '.join(sorted(missing))}. Run `manage.py migrate` first.")


def _as_role(cursor: CursorWrapper, role: str, tables: dict[str, list[str]]) -> list[Trial]:
    # The session's own role, not only the current one: SET ROLE asks who has logged in.
    with _undone(cursor):
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
        trials = [trial for table, columns in tables.items() for trial in _on_table(cursor, role, table, columns)]
        return [*trials, *_on_database(cursor, role)]


def _on_table(cursor: CursorWrapper, role: str, table: str, columns: list[str]) -> Iterator[Trial]:
    for verb, template in _COLUMN_VERBS.items():
        found = _outcome(cursor, _filled(template, table, columns))
        if found == NO:
            allowed = [column for column in columns if _outcome(cursor, _filled(template, table, [column])) == YES]
            found = ", ".join(allowed) or NO
        yield Trial(role, table, verb, _expected(role, table, verb), found)
    for verb, statement in _TABLE_VERBS.items():
        found = _outcome(cursor, statement.format(table=table))
        if verb == "TRUNCATE" and found == YES and table in append_only.TABLES:
            # Tables that point here stop it before the trigger does, unless they are emptied with it.
            found = _outcome(cursor, f"TRUNCATE {table} CASCADE")
        yield Trial(role, table, verb, _expected(role, table, verb), found)


def _filled(template: str, table: str, columns: Sequence[str]) -> str:
    return template.format(table=table, columns=", ".join(columns), nulls=", ".join("NULL" for _ in columns))


def _expected(role: str, table: str, verb: str) -> str:
    if role_matrix.is_owned(role, table):
        return TRIGGER if verb == "TRUNCATE" and table in append_only.TABLES else YES
    if verb in role_matrix.privileges(role, table):
        return YES
    return ", ".join(role_matrix.COLUMN_GRANTS.get((role, table), {}).get(verb, ())) or NO


def _on_database(cursor: CursorWrapper, role: str) -> Iterator[Trial]:
    attempts = {
        "SET session_replication_role": ("SET session_replication_role = replica", NO),
        "CREATE TABLE": ("CREATE TABLE ledger_drill ()", YES if role == role_matrix.OWNER else NO),
        "CREATE TEMPORARY TABLE": ("CREATE TEMPORARY TABLE ledger_drill ()", NO),
        "CREATE SCHEMA": ("CREATE SCHEMA ledger_drill", NO),
    } | {f"SET ROLE {other}": (f"SET ROLE {other}", NO) for other in role_matrix.ROLES if other != role}
    for verb, (statement, expected) in attempts.items():
        yield Trial(role, WHOLE_DATABASE, verb, expected, _outcome(cursor, statement))


def _outcome(cursor: CursorWrapper, statement: str) -> str:
    try:
        with _undone(cursor):
            cursor.execute(statement)
    except DatabaseError as error:
        code = roles.sqlstate(error)
        if code == _PERMISSION:
            return TRIGGER if append_only.MESSAGE in str(error) else NO
        if code in _BEYOND_PERMISSION or code.startswith("23"):
            return YES
        raise DrillError(f"Expected success or a refusal of {statement!r}, found {code}: {error}") from error
    return YES


@contextmanager
def _undone(cursor: CursorWrapper) -> Iterator[None]:
    """What happens inside is rolled back, the role included."""
    cursor.execute("SAVEPOINT drill")
    try:
        yield
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT drill")
        cursor.execute("RELEASE SAVEPOINT drill")


def _tables(cursor: CursorWrapper) -> dict[str, list[str]]:
    """Quoted name → quoted columns of every table."""
    cursor.execute(
        "SELECT quote_ident(relname), array_agg(quote_ident(attname) ORDER BY attnum) FROM pg_class "
        "JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') GROUP BY relname ORDER BY relname"
    )
    return dict(cursor.fetchall())


def _sequences(cursor: CursorWrapper) -> Iterator[Trial]:
    """Looked up: a number that was drawn does not come back with a rollback."""
    cursor.execute(
        "SELECT rolname, quote_ident(relname), has_sequence_privilege(pg_roles.oid, pg_class.oid, 'USAGE, SELECT, UPDATE')"
        " FROM pg_class, pg_roles WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S' "
        "AND rolname = ANY(%s) ORDER BY rolname, relname",
        [list(role_matrix.ROLES)],
    )
    for role, sequence, may_use in cursor.fetchall():
        yield Trial(
            role, sequence, "USAGE", YES if role_matrix.is_owned(role, sequence) else NO, YES if may_use else NO
        )


def _public(cursor: CursorWrapper) -> Iterator[Trial]:
    """Looked up: nobody can log in as PUBLIC, which every role is."""
    cursor.execute(_GRANTED_TO_PUBLIC)
    for name, rights in cursor.fetchall():
        yield Trial(PUBLIC, name, "any", NO, rights or NO)


def _triggers(cursor: CursorWrapper) -> Iterator[Trial]:
    """Looked up: whether the triggers that protect the log hold for replicas, too, and so for session_replication_role."""
    names = [f"{table}_{suffix}" for table in append_only.TABLES for suffix in ("row", "truncate")]
    names += [name for name, (_, _, is_always) in one_way.POSTGRES_TRIGGERS.items() if is_always]
    cursor.execute(
        "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE relnamespace = current_schema()::regnamespace AND tgname = ANY(%s) AND tgenabled = 'A'",
        [names],
    )
    enabled = {name for (name,) in cursor.fetchall()}
    for name in names:
        yield Trial("(trigger)", name, "ENABLE ALWAYS", YES, YES if name in enabled else NO)


_GRANTED_TO_PUBLIC = """
SELECT name, string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM (
    SELECT quote_ident(relname) AS name,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S')
    UNION ALL
    SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'ledger\\_%'
    UNION ALL
    SELECT 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
    WHERE oid = current_schema()::regnamespace
    UNION ALL
    SELECT 'database', coalesce(datacl, acldefault('d', datdba)) FROM pg_database WHERE datname = current_database()
) AS objects LEFT JOIN aclexplode(acl) ON grantee = 0
GROUP BY name ORDER BY name
"""
