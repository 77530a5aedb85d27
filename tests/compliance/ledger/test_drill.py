"""The drill tries what each database role may do: it agrees with the matrix, and finds every wrong grant."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from compliance.ledger import drill, role_matrix, roles
from compliance.ledger.drill import DrillError, Trial

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("{database}", str(connection.settings_dict["NAME"])))


def wrong() -> list[Trial]:
    # PostgreSQL truncates and alters no table while constraints of this transaction wait to be checked.
    connection.check_constraints()
    return [trial for trial in drill.hold(connection) if not trial.is_as_expected]


PLANTED = {
    "select": ("GRANT SELECT ON auth_user TO ledger_seq", "ledger_seq", "auth_user", "SELECT"),
    "insert": ("GRANT INSERT ON ledger_ledgerentry TO app", "app", "ledger_ledgerentry", "INSERT"),
    "update": ("GRANT UPDATE ON ledger_ledgerentry TO ledger_seq", "ledger_seq", "ledger_ledgerentry", "UPDATE"),
    "delete": ("GRANT DELETE ON ledger_pendingentry TO app", "app", "ledger_pendingentry", "DELETE"),
    "truncate": ("GRANT TRUNCATE ON ledger_cosignature TO app", "app", "ledger_cosignature", "TRUNCATE"),
    "create trigger": ("GRANT TRIGGER ON ledger_log TO app", "app", "ledger_log", "CREATE TRIGGER"),
    "one column to read": (
        "GRANT SELECT (sealed_identifier) ON requests_subjectvault TO app",
        "app",
        "requests_subjectvault",
        "SELECT",
    ),
    "one column more": ("GRANT UPDATE (size) ON ledger_log TO app", "app", "ledger_log", "UPDATE"),
    "a grant that is missing": (
        "REVOKE DELETE ON ledger_pendingentry FROM ledger_seq",
        "ledger_seq",
        "ledger_pendingentry",
        "DELETE",
    ),
    "ownership": (
        "ALTER TABLE ledger_ledgerentry OWNER TO ledger_seq",
        "ledger_seq",
        "ledger_ledgerentry",
        "DROP TABLE",
    ),
    "ownership of triggers": (
        "ALTER TABLE ledger_cosignature OWNER TO app",
        "app",
        "ledger_cosignature",
        "DISABLE TRIGGER",
    ),
    "create table": ("GRANT CREATE ON SCHEMA public TO app", "app", drill.WHOLE_DATABASE, "CREATE TABLE"),
    "create temporary tables": (
        "GRANT TEMPORARY ON DATABASE {database} TO app",
        "app",
        drill.WHOLE_DATABASE,
        "CREATE TEMPORARY TABLE",
    ),
    "create schemas": ("GRANT CREATE ON DATABASE {database} TO app", "app", drill.WHOLE_DATABASE, "CREATE SCHEMA"),
    "everybody in the database": ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "PUBLIC", "database", "any"),
    "everybody connects": ("GRANT CONNECT ON DATABASE {database} TO PUBLIC", "PUBLIC", "database", "any"),
    "the publisher reads accounts": (
        "GRANT SELECT ON auth_user TO ledger_publish",
        "ledger_publish",
        "auth_user",
        "SELECT",
    ),
    "the order of the outbox": (
        "GRANT INSERT (id) ON ledger_pendingentry TO app",
        "app",
        "ledger_pendingentry",
        "INSERT",
    ),
    "a cosignature of the web's": ("GRANT INSERT ON ledger_cosignature TO app", "app", "ledger_cosignature", "INSERT"),
    "membership": ("GRANT ledger_owner TO app", "app", drill.WHOLE_DATABASE, "SET ROLE ledger_owner"),
    "membership in the vault": ("GRANT vault TO ledger_seq", "ledger_seq", drill.WHOLE_DATABASE, "SET ROLE vault"),
    "replication role": (
        "GRANT SET ON PARAMETER session_replication_role TO vault",
        "vault",
        drill.WHOLE_DATABASE,
        "SET session_replication_role",
    ),
    "superuser": ("ALTER ROLE app SUPERUSER", "app", drill.WHOLE_DATABASE, "SET session_replication_role"),
    "everybody": ("GRANT SELECT ON ledger_log TO PUBLIC", "PUBLIC", "ledger_log", "any"),
    "everybody in the schema": ("GRANT USAGE ON SCHEMA public TO PUBLIC", "PUBLIC", "schema public", "any"),
    "sequence": (
        "GRANT UPDATE ON SEQUENCE ledger_pendingentry_id_seq TO app",
        "app",
        "ledger_pendingentry_id_seq",
        "USAGE",
    ),
    "a trigger that replicas skip": (
        "ALTER TABLE ledger_ledgerentry ENABLE TRIGGER ledger_ledgerentry_row",
        "(trigger)",
        "ledger_ledgerentry_row",
        "ENABLE ALWAYS",
    ),
    "a log that goes back on a replica": (
        "ALTER TABLE ledger_log ENABLE TRIGGER ledger_log_one_way",
        "(trigger)",
        "ledger_log_one_way",
        "ENABLE ALWAYS",
    ),
    "a key that is trusted again": (
        "DROP TRIGGER ledger_publickey_one_way ON ledger_publickey",
        "(trigger)",
        "ledger_publickey_one_way",
        "ENABLE ALWAYS",
    ),
    "a trigger that is gone": (
        "DROP TRIGGER ledger_cosignature_truncate ON ledger_cosignature",
        "ledger_owner",
        "ledger_cosignature",
        "TRUNCATE",
    ),
}


@on_postgresql
@pytest.mark.parametrize(
    ("statement", "role", "target", "verb"), [pytest.param(*planted, id=name) for name, planted in PLANTED.items()]
)
def test_a_planted_wrong_right_is_found(statement: str, role: str, target: str, verb: str) -> None:
    execute(statement)

    assert (role, target, verb) in {(trial.role, trial.target, trial.verb) for trial in wrong()}


@on_postgresql
def test_a_wrong_right_ends_the_command_with_exit_code_1_and_is_named() -> None:
    execute("GRANT TRUNCATE ON ledger_evidencetimestamp TO app")

    with pytest.raises(
        CommandError, match="app: TRUNCATE on ledger_evidencetimestamp is trigger, expected no"
    ) as raised:
        call_command("drill_roles", stdout=StringIO())

    assert raised.value.returncode == 1


@on_postgresql
@pytest.mark.parametrize(
    "name",
    [
        *("truncate", "everybody", "sequence", "create table", "everybody in the schema", "everybody in the database"),
        *("everybody connects", "create temporary tables", "create schemas", "the order of the outbox"),
    ],
)
def test_the_next_migrate_takes_a_wrong_grant_back(name: str) -> None:
    execute(PLANTED[name][0])

    roles.follow_the_tables(connection)

    assert wrong() == []


@on_postgresql
def test_every_attempt_is_as_the_matrix_says() -> None:
    assert wrong() == []


@on_postgresql
def test_the_command_prints_each_role_and_table() -> None:
    out = StringIO()

    call_command("drill_roles", stdout=out)

    printed = out.getvalue()
    assert "ended as expected" in printed
    lines = {tuple(line.split()[:2]) for line in printed.splitlines()}
    tables = connection.introspection.table_names()
    assert {(role, table) for role in role_matrix.ROLES for table in tables} <= lines
    assert "INSERT: entry_id, kind, event_type" in printed
    assert "UPDATE: frozen_at" in printed


@on_postgresql
def test_it_leaves_no_trace() -> None:
    connection.check_constraints()
    before = catalogue()

    drill.hold(connection)

    assert catalogue() == before


@on_postgresql
def test_a_table_that_is_added_is_granted_to_app_alone() -> None:
    execute("CREATE TABLE requests_later (id bigint PRIMARY KEY)", "CREATE TABLE ledger_later (id bigint PRIMARY KEY)")
    assert {trial.target for trial in wrong()} == {"requests_later", "ledger_later"}

    call_command("migrate", verbosity=0)

    assert wrong() == []
    found = {(trial.role, trial.target, trial.verb) for trial in drill.hold(connection) if trial.found == drill.YES}
    assert {(role, verb) for role, table, verb in found if table == "requests_later"} == {
        ("app", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    assert {verb for role, table, verb in found if (role, table) == ("app", "ledger_later")} == {"SELECT"}
    assert ("ledger_owner", "ledger_later", "DROP TABLE") in found


@on_postgresql
def test_an_account_that_is_no_superuser_is_told_so() -> None:
    execute("SET LOCAL ROLE app")

    with pytest.raises(DrillError, match="superuser"):
        drill.hold(connection)


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL has roles")
def test_sqlite_is_told_that_it_has_no_roles() -> None:
    with pytest.raises(CommandError, match="found sqlite, which has no roles"):
        call_command("drill_roles")


def catalogue() -> list[object]:
    """Everything that the attempts touch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, current_setting('session_replication_role')")
        rows: list[object] = [*cursor.fetchall()]
        for query in (
            "SELECT relname, relowner, relacl::text, relfilenode, relhastriggers FROM pg_class ORDER BY oid",
            "SELECT tgname, tgrelid, tgenabled FROM pg_trigger ORDER BY oid",
            "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY oid",
            "SELECT sequencename, last_value FROM pg_sequences ORDER BY sequencename",
            "SELECT parname, paracl::text FROM pg_parameter_acl ORDER BY oid",
            "SELECT datname, datacl::text FROM pg_database ORDER BY oid",
        ):
            cursor.execute(query)
            rows += cursor.fetchall()
    return rows
