"""Ends what the tests started and removes their folder once the test process is gone, however it went.

It runs as a process of its own. Its standard input is a pipe that only the test process holds open, so the pipe ends
with that process, also when it is killed. What is ended is every process whose working folder lies inside the tests'
folder: a number in a file could meanwhile belong to someone else.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 5.0


def guard(folder: Path) -> None:
    """Start the watchdog for this process and this folder; it acts when this process ends."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        stdin=subprocess.PIPE,
        # A group of its own: Ctrl-C in the terminal must not reach it before it has cleaned up.
        start_new_session=True,
    )
    owner = os.getpid()

    def finish() -> None:
        if os.getpid() == owner and process.stdin is not None:
            process.stdin.close()
            process.wait(timeout=6 * PATIENCE_SECONDS)

    atexit.register(finish)


def processes_inside(folder: Path) -> list[int]:
    """The ids of the processes whose working folder is inside `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            working_folder = Path(os.readlink(entry / "cwd").removesuffix(" (deleted)"))
        except OSError:
            continue
        if working_folder.is_relative_to(folder) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def end_processes(folder: Path) -> None:
    """Ask each process inside the folder to stop, then kill those that do not."""
    for number in (signal.SIGINT, signal.SIGKILL):
        for pid in processes_inside(folder):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + PATIENCE_SECONDS
        while processes_inside(folder) and time.monotonic() < deadline:
            time.sleep(0.05)


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    sys.stdin.buffer.read()
    end_processes(folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
