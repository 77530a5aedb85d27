"""Each process does its work with an account that has the rights of its role, and no attack on the log succeeds."""

import uuid
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from compliance.evidence.verdict import Verdict
from compliance.ledger import append_only, checkpointer, keys, logs, roles
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.models import LedgerEntry, Log, PendingEntry, PublicKey, SignedCheckpoint
from compliance.ledger.sequencer import sequence_batch
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.ledger import growing, logins
from tests.compliance.ledger.logins import logged_in

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")

WEB, SEQUENCER, CHECKPOINTER, PUBLISHER = "test_web", "test_sequencer", "test_checkpointer", "test_publisher"
MEMBERSHIPS = {
    WEB: ("app", "vault"),
    SEQUENCER: ("ledger_seq",),
    CHECKPOINTER: ("ledger_sign",),
    PUBLISHER: ("ledger_publish",),
}


@pytest.fixture
def accounts(ledger_db: None) -> Iterator[None]:
    for login, groups in MEMBERSHIPS.items():
        logins.create(login, *groups)
    yield
    for login in MEMBERSHIPS:
        logins.drop(login)


# --- Attacks --------------------------------------------------------------------------------------------------------
ON_THE_LOG = {
    "update entries": "UPDATE ledger_ledgerentry SET event_type = 'x'",
    "delete entries": "DELETE FROM ledger_ledgerentry",
    "truncate entries": "TRUNCATE ledger_ledgerentry",
    "update checkpoints": "UPDATE ledger_signedcheckpoint SET root_sha256 = 'x'",
    "delete checkpoints": "DELETE FROM ledger_signedcheckpoint",
    "truncate checkpoints": "TRUNCATE ledger_signedcheckpoint CASCADE",
    "disable the triggers": "ALTER TABLE ledger_ledgerentry DISABLE TRIGGER ALL",
    "drop a trigger": "DROP TRIGGER ledger_ledgerentry_row ON ledger_ledgerentry",
    "replace their function": (
        "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
    ),
    "drop the log": "DROP TABLE ledger_ledgerentry",
    "act as a replica": "SET session_replication_role = replica",
    "become the owner": "SET ROLE ledger_owner",
    "give oneself the right": "GRANT ledger_owner TO CURRENT_USER",
    "make a table": "CREATE TABLE ledger_other (id int)",
    "forget migrations": "DELETE FROM django_migrations",
}
ATTACKS = {
    WEB: {
        "write into the log": "INSERT INTO ledger_ledgerentry SELECT * FROM ledger_ledgerentry",
        "write a checkpoint": "INSERT INTO ledger_signedcheckpoint SELECT * FROM ledger_signedcheckpoint",
        "take entries from the outbox": "DELETE FROM ledger_pendingentry",
        "change waiting entries": "UPDATE ledger_pendingentry SET event_type = 'x'",
        "make a log longer": "UPDATE ledger_log SET size = size + 1",
        "delete a published key": "DELETE FROM ledger_publickey",
        "cosign": "INSERT INTO ledger_cosignature SELECT * FROM ledger_cosignature",
        "stamp a head": "INSERT INTO ledger_checkpointtimestamp SELECT * FROM ledger_checkpointtimestamp",
        "stamp evidence": "INSERT INTO ledger_evidencetimestamp SELECT * FROM ledger_evidencetimestamp",
        "take an alarm back": "UPDATE ledger_outsider SET is_alarm = false",
        "hold the ledger": "INSERT INTO ledger_ledgerhold SELECT * FROM ledger_ledgerhold",
        "let it go on": "DELETE FROM ledger_ledgerhold",
        "choose a place in the outbox": "INSERT INTO ledger_pendingentry (id) VALUES (1)",
        "shadow a table": "CREATE TEMPORARY TABLE ledger_pendingentry (id int)",
        "shadow a type": "CREATE DOMAIN pg_temp.text AS pg_catalog.bpchar",
        "open a log at another time": "UPDATE ledger_log SET opened_at = now()",
        "change a published key": "UPDATE ledger_publickey SET text = text",
    },
    SEQUENCER: {
        "write a checkpoint": "INSERT INTO ledger_signedcheckpoint SELECT * FROM ledger_signedcheckpoint",
        "publish a key": "INSERT INTO ledger_publickey SELECT * FROM ledger_publickey",
        "write into the outbox": "INSERT INTO ledger_pendingentry SELECT * FROM ledger_pendingentry",
        "read the vault": "SELECT * FROM requests_subjectvault",
        "read requests": "SELECT * FROM requests_deletionrequest",
        "delete a log": "DELETE FROM ledger_log",
        "rename a log": "UPDATE ledger_log SET origin = origin",
        "let the ledger go on": "DELETE FROM ledger_ledgerhold",
    },
    CHECKPOINTER: {
        "write into the log": "INSERT INTO ledger_ledgerentry SELECT * FROM ledger_ledgerentry",
        "take entries from the outbox": "DELETE FROM ledger_pendingentry",
        "distrust a key": "UPDATE ledger_publickey SET distrusted_from = now()",
        "change hashes": "UPDATE ledger_hashtile SET hashes = ''",
        "read the vault": "SELECT * FROM requests_subjectvault",
        "read accounts": "SELECT * FROM auth_user",
    },
    PUBLISHER: {
        "read the vault": "SELECT sealed_identifier FROM requests_subjectvault",
        "shred the vault": "DELETE FROM requests_subjectvault",
        "write a checkpoint": "INSERT INTO ledger_signedcheckpoint SELECT * FROM ledger_signedcheckpoint",
        "take a cosignature away": "DELETE FROM ledger_cosignature",
        "write into the outbox": "INSERT INTO ledger_pendingentry (kind) VALUES ('event')",
        "become an administrator": "UPDATE auth_user SET is_superuser = true",
        "read accounts": "SELECT * FROM auth_user",
        "close a request": "UPDATE requests_deletionrequest SET state = 'completed'",
        "read lineage": "SELECT subject_pseudonym FROM registry_lineagerecord",
        "read who staff are": "SELECT * FROM ledger_actorpseudonym",
        "end a log": "UPDATE ledger_log SET frozen_at = now()",
        "publish a key": "INSERT INTO ledger_publickey SELECT * FROM ledger_publickey",
        "distrust a key": "UPDATE ledger_publickey SET distrusted_from = now()",
        "let the ledger go on": "DELETE FROM ledger_ledgerhold",
    },
}


@pytest.fixture
def _log_with_entries(accounts: None) -> None:
    cast.ask()
    cast.run_ledger()
    cast.ask(cast.CHARLIE)


@pytest.mark.usefixtures("_log_with_entries")
@pytest.mark.parametrize("login", MEMBERSHIPS)
def test_attacks_are_refused_for_want_of_the_right(login: str) -> None:
    before = snapshot()
    with logged_in(login):
        for name, statement in (ON_THE_LOG | ATTACKS[login]).items():
            with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            assert roles.sqlstate(raised.value) == "42501", name
            # Not the trigger: the right itself is missing.
            assert append_only.MESSAGE not in str(raised.value), name
    assert snapshot() == before


@pytest.mark.usefixtures("_log_with_entries")
@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_ledgerentry SET event_type = 'x'", "DELETE FROM ledger_ledgerentry"]
)
def test_a_superuser_who_skips_triggers_is_stopped_by_those_that_are_always_on(statement: str) -> None:
    before = snapshot()
    with pytest.raises(DatabaseError, match=append_only.MESSAGE), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
    assert snapshot() == before


def snapshot() -> tuple[object, ...]:
    models = (LedgerEntry, SignedCheckpoint, PendingEntry, Log, PublicKey, SubjectVault)
    return tuple(list(model.objects.order_by("pk").values_list()) for model in models)


# --- Work -----------------------------------------------------------------------------------------------------------
def run_processes() -> None:
    """As `cast.run_ledger`, but each process has its own account."""
    with logged_in(WEB):
        keys.create_missing()
        keys.publish_evidence_key()
    is_busy = True
    while is_busy:
        with logged_in(SEQUENCER):
            is_busy = sequence_batch() > 0
        with logged_in(CHECKPOINTER):
            is_busy = sign_checkpoint() is not None or is_busy


@pytest.mark.usefixtures("accounts")
def test_a_request_is_completed_by_accounts_that_have_their_roles_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast, "run_ledger", run_processes)
    with logged_in(WEB):
        cast.model_of("spam-filter", cast.ALICE)
        request_id = cast.ask().request.pk
        cast.prove(request_id)
        cast.decide(request_id)
        cast.workers_start()
    run_processes()
    with logged_in(WEB):
        plan_with_the_ledger_at_rest(request_id, monkeypatch)
    run_processes()
    with logged_in(WEB):
        cast.work(request_id, Verdict.PASS)
        cast.second_signature(request_id)
    run_processes()

    assert DeletionRequest.objects.get(pk=request_id).state == RequestState.COMPLETED
    assert not PendingEntry.objects.exists()
    head = checkpointer.latest()
    assert head is not None and head.end == LedgerEntry.objects.count()


def plan_with_the_ledger_at_rest(request_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(cast, "run_ledger", lambda: None)
        cast.make_plan(request_id)


@pytest.mark.usefixtures("accounts")
def test_the_processes_of_the_ledger_run_with_their_accounts() -> None:
    keys.create_missing()
    growing.write(3)
    for login, command in ((SEQUENCER, "sequencer"), (CHECKPOINTER, "checkpointer"), (PUBLISHER, "publisher")):
        with logged_in(login):
            call_command(command, "--once", stdout=StringIO(), stderr=StringIO())
    head = checkpointer.latest()
    assert head is not None and head.size == 3


@pytest.mark.usefixtures("accounts")
def test_a_new_log_is_begun_and_keys_are_rotated_with_these_accounts() -> None:
    run_processes()
    with logged_in(WEB):
        keys.rotate_evidence_key()
        keys.begin_rotation_of_log_key()
    run_processes()
    with logged_in(WEB):
        growing.write(1)
    run_processes()

    newest = logs.newest()
    assert newest is not None and newest.number == 2
    assert PublicKey.objects.filter(valid_until=None, purpose=PublicKey.Purpose.CHECKPOINT).count() == 1
