"""Rows of the ledger that may change do so one way only, and none holds a time that nobody can read."""

# ruff: noqa: S608 - all that is put into statements are constants of these tests.

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from compliance.ledger import append_only, keys, logs, one_way
from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.models import LedgerEntry, Log, PendingEntry, PublicKey, SignedCheckpoint
from compliance.ledger.sequencer import sequence_batch
from tests.compliance import cast
from tests.compliance.ledger import growing

pytestmark = pytest.mark.django_db

IS_POSTGRES = connection.vendor == "postgresql"
on_postgresql = pytest.mark.skipif(not IS_POSTGRES, reason="on SQLite one account may do everything")
on_sqlite = pytest.mark.skipif(IS_POSTGRES, reason="PostgreSQL has no INSERT OR REPLACE")
PAST, LATER = "2026-01-01 00:00:00+00:00", "2026-02-01 00:00:00+00:00"


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def refused(message: str) -> Iterator[None]:
    """Expects the refusal, and that it changed nothing."""
    before = snapshot()
    with pytest.raises(DatabaseError, match=message):
        yield
    assert snapshot() == before


def snapshot() -> list[object]:
    tables = (LedgerEntry, SignedCheckpoint, Log, PublicKey, PendingEntry)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


@pytest.fixture(autouse=True)
def _log_with_entries() -> None:
    cast.ask()
    cast.run_ledger()
    connection.check_constraints()


# --- Logs -----------------------------------------------------------------------------------------------------------
LOG_CHANGES = {
    "shorter": "UPDATE ledger_log SET size = size - 1",
    "another origin": "UPDATE ledger_log SET origin = 'elsewhere.example/log'",
    "another number": "UPDATE ledger_log SET number = 7",
    "another beginning": "UPDATE ledger_log SET first_position = 1",
    "another time of opening": f"UPDATE ledger_log SET opened_at = '{PAST}'",
}
OF_AN_ENDED_LOG = {
    "going on": "UPDATE ledger_log SET frozen_at = NULL",
    "ended later": f"UPDATE ledger_log SET frozen_at = '{LATER}'",
    "ended earlier": "UPDATE ledger_log SET frozen_at = '2025-12-01 00:00:00+00:00'",
    "under the same key": "UPDATE ledger_log SET needs_other_key = false",
}


@pytest.mark.parametrize("statement", [pytest.param(sql, id=name) for name, sql in LOG_CHANGES.items()])
def test_a_log_keeps_what_it_is(statement: str) -> None:
    with refused(one_way.MESSAGE):
        execute(statement)


@pytest.mark.parametrize("statement", [pytest.param(sql, id=name) for name, sql in OF_AN_ENDED_LOG.items()])
def test_a_log_that_was_ended_stays_so(statement: str) -> None:
    execute(f"UPDATE ledger_log SET frozen_at = '{PAST}', needs_other_key = true")
    with refused(one_way.MESSAGE):
        execute(statement)


@on_postgresql
@pytest.mark.parametrize("name", [*LOG_CHANGES, *OF_AN_ENDED_LOG])
def test_a_superuser_as_a_replica_is_refused_too(name: str) -> None:
    execute(f"UPDATE ledger_log SET frozen_at = '{PAST}', needs_other_key = true")
    with refused(one_way.MESSAGE):
        execute(f"SET LOCAL session_replication_role = replica; {(LOG_CHANGES | OF_AN_ENDED_LOG)[name]}")


def test_a_log_grows_and_ends() -> None:
    log = logs.newest()
    assert log is not None
    growing.write(3)
    assert sequence_batch() == 3
    ended = logs.freeze()
    assert ended is not None and ended.frozen_at is not None and ended.size == log.size + 3


# --- Published keys -------------------------------------------------------------------------------------------------
KEY_CHANGES = {
    "valid for ever": "UPDATE ledger_publickey SET valid_until = NULL",
    "valid for longer": "UPDATE ledger_publickey SET valid_until = '2026-03-01 00:00:00+00:00'",
    "trusted again": "UPDATE ledger_publickey SET distrusted_from = NULL",
    "distrusted from later on": "UPDATE ledger_publickey SET distrusted_from = '2026-03-01 00:00:00+00:00'",
    "valid from another time": f"UPDATE ledger_publickey SET valid_from = '{PAST}'",
    "published at another time": f"UPDATE ledger_publickey SET published_at = '{PAST}'",
    "another text": "UPDATE ledger_publickey SET text = 'x'",
    "another fingerprint": "UPDATE ledger_publickey SET key_sha256 = 'x'",
    "another purpose": "UPDATE ledger_publickey SET purpose = 'checkpoint' WHERE purpose = 'evidence'",
    "another row": "UPDATE ledger_publickey SET text_sha256 = 'x' WHERE purpose = 'evidence'",
}


@pytest.mark.parametrize("statement", [pytest.param(sql, id=name) for name, sql in KEY_CHANGES.items()])
def test_a_published_key_stays_what_it_is_and_distrust_is_never_taken_back(statement: str) -> None:
    keys.publish_evidence_key()
    execute(f"UPDATE ledger_publickey SET valid_until = '{LATER}', distrusted_from = '{LATER}'")
    with refused(one_way.MESSAGE):
        execute(statement)


def test_a_key_is_retired_and_distrusted_from_earlier_on() -> None:
    row = keys.publish_evidence_key()
    now = datetime.now(tz=UTC).replace(microsecond=0)
    retire_key(row.key_sha256, valid_until=now)
    for moment in (now, now - timedelta(days=1)):
        distrust_key(row.key_sha256, distrusted_from=moment)
    row.refresh_from_db()
    assert (row.valid_until, row.distrusted_from) == (now, now - timedelta(days=1))


def test_without_the_triggers_the_same_statements_would_succeed() -> None:
    """Shows that it is the triggers that refuse, not a mistake in the statements."""
    keys.publish_evidence_key()
    with growing.as_owner():
        for statement in (LOG_CHANGES | OF_AN_ENDED_LOG | KEY_CHANGES).values():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                transaction.set_rollback(True)


# --- The outbox -----------------------------------------------------------------------------------------------------
_AGAIN = """
INSERT INTO ledger_pendingentry (entry_id, kind, event_type, request_id, leaf, leaf_sha256, recorded_at)
SELECT entry_id, kind, event_type, request_id, leaf, leaf_sha256, recorded_at FROM ledger_ledgerentry
"""


@on_postgresql
def test_an_entry_id_of_the_log_cannot_stop_the_sequencer() -> None:
    """A row with an id that the log has would be refused there, and all entries behind it would wait for ever."""
    n_entries = LedgerEntry.objects.count()
    execute(_AGAIN)
    assert sequence_batch() == n_entries
    assert LedgerEntry.objects.values("entry_id").distinct().count() == 2 * n_entries


# --- Writing over a row ---------------------------------------------------------------------------------------------
OVERWRITING = {
    "an entry": "INSERT OR REPLACE INTO ledger_ledgerentry SELECT * FROM ledger_ledgerentry",
    "an entry by its id": """
        INSERT OR REPLACE INTO ledger_ledgerentry (position, entry_id, kind, event_type, request_id, leaf, leaf_sha256,
            recorded_at, sequenced_at)
        SELECT position + 1000, entry_id, kind, event_type, request_id, leaf, leaf_sha256, recorded_at, sequenced_at
        FROM ledger_ledgerentry
    """,
    "an entry by its row": """
        INSERT OR REPLACE INTO ledger_ledgerentry (rowid, position, entry_id, kind, event_type, request_id, leaf,
            leaf_sha256, recorded_at, sequenced_at)
        SELECT rowid, position + 1000, hex(randomblob(16)), kind, event_type, request_id, leaf, leaf_sha256,
            recorded_at, sequenced_at FROM ledger_ledgerentry
    """,
    "an entry, in one word": "REPLACE INTO ledger_ledgerentry SELECT * FROM ledger_ledgerentry",
    "a checkpoint": "INSERT OR REPLACE INTO ledger_signedcheckpoint SELECT * FROM ledger_signedcheckpoint",
    "a log": "INSERT OR REPLACE INTO ledger_log SELECT * FROM ledger_log",
    "a key": "INSERT OR REPLACE INTO ledger_publickey SELECT * FROM ledger_publickey",
}


@on_sqlite
@pytest.mark.parametrize("statement", [pytest.param(sql, id=name) for name, sql in OVERWRITING.items()])
def test_no_row_is_written_over_another(statement: str) -> None:
    with refused("INSERT over a row"):
        execute(statement)


@on_sqlite
def test_without_the_triggers_rows_would_be_written_over() -> None:
    """Shows that SQLite does replace rows without asking the triggers that refuse to delete them."""
    one_way.remove(connection)
    for statement in OVERWRITING.values():
        execute(statement)
    one_way.install(connection)


@on_sqlite
def test_a_time_stamp_is_not_written_over_either() -> None:
    head = SignedCheckpoint.objects.latest("end")
    head.timestamps.create(token=b"genuine", stamped_at=datetime.now(tz=UTC))
    with pytest.raises(DatabaseError, match="INSERT over a row"):
        execute("INSERT OR REPLACE INTO ledger_checkpointtimestamp SELECT * FROM ledger_checkpointtimestamp")


# --- Times ----------------------------------------------------------------------------------------------------------
TIMES = [
    (model._meta.db_table, field.column)
    for model in apps.get_app_config("ledger").get_models()
    for field in model._meta.fields
    if isinstance(field, models.DateTimeField)
]


@pytest.mark.parametrize("time", ["infinity", "-infinity", "1999-12-31 23:59:59+00:00", "9999-01-01 00:00:00+00:00"])
@pytest.mark.parametrize(("table", "column"), TIMES)
def test_no_table_of_the_ledger_takes_a_time_that_breaks_its_readers(table: str, column: str, time: str) -> None:
    """Looked at in a copy of the table, whose other columns take anything."""
    assert accepts(table, column, "2026-05-01 12:00:00+00:00")
    assert not accepts(table, column, time)


def accepts(table: str, column: str, time: str) -> bool:
    """Whether the constraint on the times of this table lets the time pass."""
    clause = condition_of(table)
    copied = f"copied_{uuid.uuid4().hex}"
    kind = "timestamptz" if IS_POSTGRES else "datetime"
    columns = ", ".join(f"{name} {kind}" for of, name in TIMES if of == table)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {copied} ({columns}, CHECK ({clause}))")
    try:
        execute(f"INSERT INTO {copied} ({column}) VALUES ('{time}')")
    except DatabaseError:
        return False
    return True


def condition_of(table: str) -> str:
    """The constraint as the database keeps it."""
    name = f"{table.removeprefix('ledger_')}_times_are_readable"
    with connection.cursor() as cursor:
        if IS_POSTGRES:
            cursor.execute("SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = %s", [name])
            return str(cursor.fetchone()[0])
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
        text = cursor.fetchone()[0].partition(f'CONSTRAINT "{name}" CHECK (')[2]
    depth, end = 1, 0
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return str(text[: end - 1])


def test_an_entry_that_waits_cannot_have_an_infinite_time() -> None:
    with refused("times_are_readable"):
        execute(_AGAIN.replace("leaf_sha256, recorded_at FROM", "leaf_sha256, 'infinity' FROM").replace(
            "SELECT entry_id", "SELECT " + ("gen_random_uuid()" if IS_POSTGRES else "hex(randomblob(16))")
        ))  # fmt: skip


# --- Following the code ---------------------------------------------------------------------------------------------
def test_the_database_has_every_trigger_of_this_code() -> None:
    assert one_way.lacking(connection) == []


def test_a_trigger_that_is_gone_comes_back_with_the_next_migrate() -> None:
    on = f" ON {one_way.LOG}" if IS_POSTGRES else ""
    execute(f"DROP TRIGGER ledger_log_one_way{on}")
    assert one_way.lacking(connection) != []
    call_command("migrate", verbosity=0)
    assert one_way.lacking(connection) == []
    with refused(one_way.MESSAGE):
        execute(LOG_CHANGES["shorter"])


def test_a_database_that_we_have_no_triggers_for_is_refused() -> None:
    class Elsewhere:
        vendor = "oracle"

    with pytest.raises(ValueError, match="PostgreSQL or SQLite"):
        one_way.lacking(Elsewhere())  # type: ignore[arg-type]


def test_the_message_is_not_that_of_the_append_only_triggers() -> None:
    assert append_only.MESSAGE not in one_way.MESSAGE
