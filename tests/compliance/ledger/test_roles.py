"""How the database roles come about: who owns what, what happens at the same moment, and what an account may lack."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from compliance.ledger import drill, role_matrix, roles
from compliance.ledger.roles import RolesError
from tests.compliance.ledger import logins

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")

MIGRATOR, OTHER_DATABASE = "test_migrator", "test_other_expunge"


@pytest.mark.django_db
def test_a_role_that_is_missing_is_named_with_the_sql_that_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "ROLES", (*role_matrix.ROLES, "ledger_absent"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE ledger_owner")

    with pytest.raises(RolesError, match="administrator") as raised:
        roles.apply(connection)

    assert "    CREATE ROLE ledger_absent NOLOGIN;\n" in str(raised.value)


@pytest.mark.django_db
def test_an_account_with_the_name_of_a_group_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE app LOGIN")

    with pytest.raises(RolesError, match="found an account named app"):
        roles.apply(connection)


def test_two_databases_of_one_server_may_make_a_role_at_the_same_moment(ledger_db: None) -> None:
    ends: list[bool] = []

    def create() -> None:
        # In a thread of its own Django opens a connection of its own.
        with connection.cursor() as cursor:
            cursor.execute("SET application_name = 'second'")
            ends.append(roles._attempt(cursor, "CREATE ROLE test_racing NOLOGIN"))
        connection.close()

    second = threading.Thread(target=create)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            assert roles._attempt(cursor, "CREATE ROLE test_racing NOLOGIN")
            second.start()
            wait_until_second_waits()
    finally:
        second.join(timeout=60)
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE test_racing")

    assert ends == [True]


def wait_until_second_waits() -> None:
    pause = threading.Event()
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'second' AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        pause.wait(0.1)
    raise AssertionError("The second connection never waited for the first.")


def test_the_operator_reads_of_the_same_roles() -> None:
    page = (settings.ROOT / "docs" / "operate.md").read_text()
    section = page.partition("## Database roles\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| ", section, re.MULTILINE)[: len(role_matrix.ROLES)] == list(role_matrix.ROLES)
    memberships = re.findall(r"IN ROLE ([\w, ]+);", section)
    given = {role for groups in memberships for role in groups.split(", ")}
    assert given == set(role_matrix.ROLES) - {role_matrix.OWNER}


@pytest.mark.django_db
def test_everything_of_the_ledger_belongs_to_its_owner() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'ledger\\_%' AND relowner <> 'ledger_owner'::regrole "
            "UNION ALL "
            "SELECT proname FROM pg_proc WHERE proname LIKE 'ledger\\_%' AND proowner <> 'ledger_owner'::regrole"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ledger\\_%'")
        assert cursor.fetchone()[0] > 0


@pytest.mark.django_db
def test_migrating_back_gives_the_tables_to_the_account_and_forth_again_to_the_owner() -> None:
    connection.check_constraints()
    roles.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'ledger_owner'::regrole")
        assert cursor.fetchone() == (0,)

    roles.apply(connection)

    assert [trial for trial in drill.hold(connection) if not trial.is_as_expected] == []


@pytest.fixture
def migrator_url(ledger_db: None, process_environment: dict[str, str]) -> Iterator[str]:
    """The DATABASE_URL of an account without any attribute, which owns a database of its own and nothing else."""
    logins.create(MIGRATOR)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {OTHER_DATABASE} OWNER {MIGRATOR}")
    parts = urlsplit(process_environment["DATABASE_URL"])
    host = parts.netloc.rpartition("@")[2]
    yield parts._replace(netloc=f"{MIGRATOR}:{quote(logins.PASSWORD)}@{host}", path=f"/{OTHER_DATABASE}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {OTHER_DATABASE} WITH (FORCE)")
    logins.drop(MIGRATOR)


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, settings.ROOT / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_account_without_the_right_migrates_once_the_sql_it_printed_was_run(
    migrator_url: str, process_environment: dict[str, str]
) -> None:
    environment = process_environment | {"DATABASE_URL": migrator_url}
    refused = manage(environment, "migrate", "--no-input")
    assert refused.returncode == 1
    printed = refused.stderr.partition("migrate again:\n")[2]
    assert "GRANT ledger_owner TO test_migrator;" in printed

    with connection.cursor() as cursor:
        cursor.execute(printed)

    # From then on this account alone is enough for everything, and for further migrations.
    for command in (
        ("migrate", "--no-input"),
        ("migrate", "--no-input"),
        ("keys", "create", "evidence"),
        ("sequencer", "--once"),
    ):
        done = manage(environment, *command)
        assert done.returncode == 0, done.stderr
    with other_database() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_ledgerentry")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname LIKE 'ledger\\_%'")
        assert cursor.fetchall() == [("ledger_owner",)]
        cursor.execute("SELECT has_table_privilege('app', 'ledger_ledgerentry', 'INSERT')")
        assert cursor.fetchone() == (False,)


@contextmanager
def other_database() -> Iterator[CursorWrapper]:
    other = connection.copy()
    other.settings_dict = {**connection.settings_dict, "NAME": OTHER_DATABASE}
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()
