"""Processes of the service, started and killed by a test, with their logs at hand when something does not happen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from django.conf import settings

T = TypeVar("T")
POLL_SECONDS = 0.02
STOP_SECONDS = 20.0
WORKER = ("-m", "celery", "-A", "workers.app", "worker", "-l", "info", "--without-gossip", "--without-mingle")
BEAT = ("-m", "celery", "-A", "workers.app", "beat", "-l", "warning", "--pidfile=")


class Processes:
    """A context manager: what was started in the block is stopped at its end."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        # What is left of a killed test run is found by its working folder (tests/services/watchdog.py).
        self._working_folder = settings.DATA_DIR
        self._environment = {**environment, "PYTHONPATH": str(settings.ROOT), "PYTHONUNBUFFERED": "1"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Run Python with these arguments."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self._working_folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        """SIGKILL: no handler runs, nothing is tidied up."""
        process = self._running.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(STOP_SECONDS) == -signal.SIGKILL

    def wait_for(self, what: str, fetch: Callable[[], T | None], *, seconds: float) -> T:
        """Poll until something true comes; fails with all logs when it does not, or when a process has ended."""
        ends_at = time.monotonic() + seconds
        while not (found := fetch()):
            ended = [name for name, process in self._running.items() if process.poll() is not None]
            if ended or time.monotonic() > ends_at:
                raise AssertionError(f"no {what} within {seconds} s; ended by themselves: {ended}\n{self.logs()}")
            time.sleep(POLL_SECONDS)
        return found

    def logs(self) -> str:
        """The end of each log."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-6000:]}" for path in sorted(self._folder.glob("*.log")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
