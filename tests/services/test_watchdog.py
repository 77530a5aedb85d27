"""What is left of a test run that was killed: nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Guards a folder, starts a process in it, prints its id, and waits to be killed.
GUARDED = """
import subprocess, sys, time
from pathlib import Path
from tests.services import watchdog
folder = Path(sys.argv[1])
watchdog.guard(folder)
print(subprocess.Popen(["sleep", "600"], cwd=folder).pid, flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def runs(pid: int) -> bool:
    """Whether the process does anything: one that ended and was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start_guarded(folder: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen([sys.executable, "-c", GUARDED, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_killed_run_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    guarded, child = start_guarded(folder)
    assert runs(child)

    end(guarded, signal.SIGKILL)

    assert wait_until(lambda: not runs(child) and not folder.exists())


def test_an_interrupted_run_has_cleaned_up_when_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    guarded, child = start_guarded(folder)

    end(guarded, signal.SIGINT)

    assert not runs(child)
    assert not folder.exists()


def test_processes_outside_the_folder_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    neighbour = subprocess.Popen(["sleep", "600"], cwd=tmp_path)
    guarded, _ = start_guarded(folder)

    end(guarded, signal.SIGKILL)

    assert wait_until(lambda: not folder.exists())
    assert neighbour.poll() is None
    os.kill(neighbour.pid, signal.SIGKILL)
    neighbour.wait()
