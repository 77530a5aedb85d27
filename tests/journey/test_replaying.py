"""Who may replay a log, and what: no forged log, no account without the right, and all of it or nothing."""

import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import LedgerEntry, PendingEntry, PublicKey
from compliance.registry.models import ModelVersion
from compliance.requests import transitions
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.ledger import logins
from tests.journey import backups
from tests.journey.restoring import LONG_AGO, erase, publish, run, serving
from tests.workers import killing
from workers import ledger_replay

LOGINS = {
    "test_replay_web": ("app", "vault"),
    "test_replay_sequencer": ("ledger_seq",),
    "test_replay_checkpointer": ("ledger_sign",),
    "test_replay_publisher": ("ledger_publish",),
}
OWNER = "test_replay_owner"
only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has neither roles nor row locks")
SECONDS = 60


def lines(dump: str) -> list[str]:
    """pg_dump puts a random word around its commands, and counters do not go back with a transaction."""
    return [line for line in dump.splitlines() if "restrict" not in line and "setval" not in line]


@pytest.fixture
def erased(live: ModelVersion, tmp_path: Path) -> str:
    """Alice was forgotten after the backup that is restored now; the digest of the version that served."""
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.decide(request_id)
    after = erase(request_id)
    publish()
    backups.restore(tmp_path / "backup")
    return after


# --- Forged logs ---------------------------------------------------------------------------------------------------
@pytest.fixture
def forged(live: ModelVersion, tmp_path: Path) -> uuid.UUID:
    """Whoever stole the checkpoint key publishes that an open request was shredded. The guard is where it was."""
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    cast.run_ledger()
    backups.back_up(tmp_path / "backup")
    guard = settings.CHECKPOINT_GUARD_PATH.parent
    shutil.copytree(guard, tmp_path / "guard-copy")
    with transaction.atomic():
        transitions.note(transitions.locked(request_id), "request.shredded", actor=SYSTEM, facts={})
    publish()
    backups.restore(tmp_path / "backup")
    backups.copy(tmp_path / "guard-copy", guard)
    return request_id


def test_a_log_that_is_longer_than_what_the_guard_remembers_is_refused(forged: uuid.UUID) -> None:
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, "it was not signed here" in said) == (1, True), said
    assert SubjectVault.objects.get(request=forged).shredded_at is None


def test_a_log_that_the_guard_does_not_know_is_refused(forged: uuid.UUID) -> None:
    path = settings.CHECKPOINT_GUARD_PATH
    (origin,) = (folder.name for folder in Path(settings.LOG_DIR).iterdir() if folder.is_dir())
    path.write_bytes(path.read_bytes().replace(b'"origin":"', b'"origin":"other-'))
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, "it was not signed here" in said) == (1, True), (origin, said)


def test_without_a_guard_a_log_under_a_distrusted_key_is_refused(forged: uuid.UUID) -> None:
    settings.CHECKPOINT_GUARD_PATH.unlink()
    for key in PublicKey.objects.filter(purpose=PublicKey.Purpose.CHECKPOINT):
        distrust_key(key.key_sha256, distrusted_from=LONG_AGO)
    PendingEntry.objects.all().delete()
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, "knows and trusts" in said) == (1, True), said
    assert SubjectVault.objects.get(request=forged).shredded_at is None


# --- Accounts ------------------------------------------------------------------------------------------------------
@pytest.fixture
def accounts(erased: str) -> Iterator[None]:
    """The accounts of docs/operate.md, and the one that owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (superuser,) = cursor.fetchone()
    for login, groups in LOGINS.items():
        logins.create(login, *groups)
    logins.create(OWNER, superuser, "ledger_owner")
    yield
    for login in (*LOGINS, OWNER):
        logins.drop(login)


@only_postgresql
@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("login", LOGINS)
def test_no_account_of_a_process_may_replay(login: str, erased: str) -> None:
    before = lines(backups.dump())
    with logins.logged_in(login):
        code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, "the account that owns the database" in said) == (1, True), said
    assert lines(backups.dump()) == before


@only_postgresql
@pytest.mark.usefixtures("accounts")
def test_the_account_that_owns_the_database_replays(erased: str) -> None:
    with logins.logged_in(OWNER):
        code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert code == 0, said
    assert serving() == erased


# --- All or nothing ------------------------------------------------------------------------------------------------
@only_postgresql
def test_a_replay_that_is_killed_half_way_has_done_nothing(
    erased: str, process_environment: dict[str, str], tmp_path: Path
) -> None:
    """It has written entries and closed the request, and waits for the row of the model, when it is killed."""
    before, n_entries = lines(backups.dump()), LedgerEntry.objects.count()
    command = [sys.executable, "manage.py", "replay_ledger", settings.LOG_DIR, "--apply"]
    environment = process_environment | {"EXPUNGE_ARTIFACTS_DIR": str(settings.ARTIFACTS_DIR)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM registry_registeredmodel FOR UPDATE")
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            wait_until_it_waits(process)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (lines(backups.dump()), LedgerEntry.objects.count()) == (before, n_entries)
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[0] == 0
    assert (serving(), DeletionRequest.objects.get().state) == (erased, RequestState.COMPLETED)


def test_a_replay_that_ends_before_its_last_step_has_done_nothing(erased: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lines(backups.dump())
    with monkeypatch.context() as context, pytest.raises(killing.KilledError):
        context.setattr(ledger_replay, "shred_again", killing.killed)
        run("replay_ledger", settings.LOG_DIR, "--apply")
    assert lines(backups.dump()) == before
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[0] == 0
    assert serving() == erased


def wait_until_it_waits(process: subprocess.Popen[bytes]) -> None:
    """Until another connection wrote something and waits for a lock."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            # Within a transaction the view stays as it was first read.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_xid IS NOT NULL"
                " AND datname = current_database()"
            )
            (n_waiting,) = cursor.fetchone()
        if n_waiting:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("The replay never waited for the model.")
