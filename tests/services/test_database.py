"""What tests may expect of their database, whichever it is."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections, transaction

from compliance.ledger.models import Log, SignedCheckpoint

ROLES = {"operator", "dpo", "auditor"}
PRINT_GROUPS = "from django.contrib.auth.models import Group; print(*Group.objects.values_list('name', flat=True))"


def assert_append_only() -> None:
    """Adds a row to the ledger and fails to take it away."""
    now = datetime.now(tz=UTC)
    log = Log.objects.create(number=1, origin="example.org/log", first_position=0, opened_at=now)
    SignedCheckpoint.objects.create(
        end=1, log=log, size=1, root_sha256="0" * 64, note=b"", note_sha256="0" * 64, signed_at=now
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SignedCheckpoint.objects.all().delete()


def role_names() -> set[str]:
    return set(Group.objects.values_list("name", flat=True))


@pytest.mark.django_db
def test_the_ledger_refuses_deletion_in_a_test_that_is_rolled_back() -> None:
    assert_append_only()


@pytest.mark.parametrize("run", ["first", "second"])
def test_the_ledger_refuses_deletion_in_tests_that_commit(run: str, ledger_db: None) -> None:
    """The second run finds an empty ledger again, and the rows of the migrations."""
    assert role_names() == ROLES
    assert not SignedCheckpoint.objects.exists()
    assert_append_only()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", ["first", "second"])
def test_the_mark_alone_does_the_same(run: str) -> None:
    assert role_names() == ROLES
    assert not SignedCheckpoint.objects.exists()
    assert_append_only()


def test_a_process_sees_what_a_test_committed(ledger_db: None, process_environment: dict[str, str]) -> None:
    Group.objects.create(name="witness")

    output = subprocess.run(
        [sys.executable, settings.ROOT / "manage.py", "shell", "--no-imports", "-c", PRINT_GROUPS],
        env=process_environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert set(output.split()) == ROLES | {"witness"}


def test_the_database_is_a_real_one(ledger_db: None) -> None:
    """A second connection, as another process has it, meets the first in a file or a server, not in memory."""
    second = connections["default"].copy()
    try:
        Group.objects.create(name="witness")
        with second.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM auth_group")
            assert cursor.fetchone() == (len(ROLES) + 1,)
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA journal_mode")
                assert cursor.fetchone() == ("wal",)
    finally:
        second.close()
