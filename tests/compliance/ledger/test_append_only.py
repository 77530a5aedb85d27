"""The database itself refuses to change the log, on SQLite and on PostgreSQL."""

import pytest
from django.db import DatabaseError, connection, transaction

from compliance.ledger import append_only
from compliance.ledger.models import LedgerEntry, SignedCheckpoint
from tests.compliance import cast
from tests.compliance.ledger.growing import as_owner

pytestmark = pytest.mark.django_db

CHANGES = {
    "update an entry": "UPDATE ledger_ledgerentry SET event_type = 'x'",
    "move an entry": "UPDATE ledger_ledgerentry SET position = position + 1000",
    "delete entries": "DELETE FROM ledger_ledgerentry",
    "update a checkpoint": "UPDATE ledger_signedcheckpoint SET root_sha256 = 'x'",
    "delete checkpoints": "DELETE FROM ledger_signedcheckpoint",
}
ONLY_POSTGRES = {
    "truncate entries": "TRUNCATE ledger_ledgerentry",
    "truncate checkpoints": "TRUNCATE ledger_signedcheckpoint CASCADE",
    "update as a replica": "SET session_replication_role = replica; UPDATE ledger_ledgerentry SET event_type = 'x'",
    "delete as a replica": "SET session_replication_role = replica; DELETE FROM ledger_signedcheckpoint",
}
STATEMENTS = CHANGES | (ONLY_POSTGRES if connection.vendor == "postgresql" else {})


@pytest.fixture(autouse=True)
def _log_with_entries() -> None:
    cast.ask()
    cast.run_ledger()
    # PostgreSQL truncates no table while constraints of this transaction wait to be checked.
    connection.check_constraints()


def snapshot() -> tuple[object, ...]:
    return (list(LedgerEntry.objects.values_list()), list(SignedCheckpoint.objects.values_list()))


@pytest.mark.parametrize("statement", [pytest.param(sql, id=name) for name, sql in STATEMENTS.items()])
def test_sql_that_changes_the_log_is_refused(statement: str) -> None:
    before = snapshot()
    with pytest.raises(DatabaseError, match=append_only.MESSAGE), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert snapshot() == before


def test_the_orm_cannot_change_the_log_either() -> None:
    before = snapshot()
    for rows in (LedgerEntry.objects.all(), SignedCheckpoint.objects.all()):
        with pytest.raises(DatabaseError, match=append_only.MESSAGE), transaction.atomic():
            rows.delete()
    entry = LedgerEntry.objects.order_by("position").first()
    assert entry is not None
    entry.event_type = "x"
    with pytest.raises(DatabaseError, match=append_only.MESSAGE), transaction.atomic():
        entry.save()
    assert snapshot() == before


def test_without_the_triggers_the_same_statements_would_succeed() -> None:
    """Shows that it is the triggers that refuse, not a mistake in the statements."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(CHANGES["delete checkpoints"])
        cursor.execute(CHANGES["delete entries"])
        assert not LedgerEntry.objects.exists()


def test_a_database_without_triggers_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="PostgreSQL or SQLite"):
        append_only.install_statements("oracle")
