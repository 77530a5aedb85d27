"""The three processes of the ledger as they run: started, killed at any moment, and stopped by SIGTERM."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from compliance.evidence import checkpoint, merkle
from compliance.evidence.tile_files import LogFolder
from compliance.ledger import keys, notes
from compliance.ledger.models import LedgerEntry, Log, PendingEntry, SignedCheckpoint
from tests.compliance.evidence import rfc6962
from tests.compliance.ledger.growing import write
from tests.workers.processes import Processes

NAMES = ("sequencer", "checkpointer", "publisher")
MANAGE = str(settings.ROOT / "manage.py")
SECONDS = 60.0


@pytest.fixture
def processes(ledger_db: None, tmp_path: Path, process_environment: dict[str, str]) -> Processes:
    (tmp_path / "logs").mkdir()
    return Processes(tmp_path / "logs", process_environment)


def test_killed_at_any_moment_they_go_on_and_a_reader_finds_whole_logs(processes: Processes) -> None:
    keys.create_missing()
    with processes:
        for name in NAMES:
            processes.start(name, MANAGE, name)
        for name in (*NAMES, "publisher"):
            write(300)
            processes.wait_for("a published log", published, seconds=SECONDS)
            assert_published()
            write(10)
            processes.kill(name)
            processes.start(name, MANAGE, name)
        n_entries = LedgerEntry.objects.count() + PendingEntry.objects.count()
        processes.wait_for("all entries", lambda: published() == n_entries, seconds=SECONDS)
    assert assert_published() == n_entries == 1 + 4 * 310
    ends = list(SignedCheckpoint.objects.order_by("end").values_list("end", flat=True))
    assert ends[-1] == n_entries
    assert list(LedgerEntry.objects.order_by("position").values_list("position", flat=True)) == list(range(n_entries))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could restart")
def test_a_database_that_throws_everybody_out_is_waited_for(processes: Processes) -> None:
    keys.create_missing()
    with processes:
        for name in NAMES:
            processes.start(name, MANAGE, name)
        write(5)
        processes.wait_for("a published log", published, seconds=SECONDS)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            assert cursor.fetchone() == (3,), "each process has a connection of its own"
        write(5)
        n_entries = LedgerEntry.objects.count() + PendingEntry.objects.count()
        processes.wait_for("all entries", lambda: published() == n_entries, seconds=SECONDS)
        assert processes.logs().count("not reachable, trying again") >= 3
    assert assert_published() == n_entries


def log_folder() -> Path | None:
    log = Log.objects.first()
    return None if log is None else Path(settings.LOG_DIR) / log.origin.rpartition("/")[2]


def published() -> int | None:
    """The size of the published checkpoint, if there is one."""
    folder = log_folder()
    if folder is None or not (folder / "checkpoint").exists():
        return None
    return checkpoint.parse_body(checkpoint.split_note(LogFolder(folder).checkpoint())[0]).size


def assert_published() -> int:
    """What a stranger finds at this moment verifies; returns how many entries that is."""
    folder = log_folder()
    assert folder is not None
    note = LogFolder(folder).checkpoint()
    head = checkpoint.open_note(note, [notes.vkey_of(note)])
    hashes = [merkle.leaf_hash(leaf) for leaf in LogFolder(folder).entries(head.size)]
    assert rfc6962.root_of(hashes) == head.root
    return head.size


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_ends_a_process_cleanly(ledger_db: None, process_environment: dict[str, str], name: str) -> None:
    keys.create_missing()
    with subprocess.Popen(
        [sys.executable, "-c", STARTED, MANAGE, name],
        env={**process_environment, "PYTHONPATH": str(settings.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "handles signals\n"
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


#: Runs a command of manage.py, and says when its signal handlers are in place.
STARTED = """
import runpy, signal, sys
install = signal.signal
def told(number, handler):
    install(number, handler)
    if number == signal.SIGINT:
        print("handles signals", flush=True)
signal.signal = told
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
