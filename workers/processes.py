"""The processes of one machine, started and stopped together: broker, the ledger's three, worker, beat, web.

What `docker-compose.yml` does with containers, `manage.py serve` and `manage.py demo` do with child processes. A child
that ends on its own ends all, with the last lines of its log. A parent that is killed takes its children along, but for
the broker, which the next start ends (embedded_broker.py).
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from django.conf import settings

from workers.embedded_broker import EmbeddedBroker

STOP_SECONDS = 15
LOG_TAIL_LINES = 20
POLL_SECONDS = 0.1
T = TypeVar("T")
_PR_SET_PDEATHSIG = 1


class ProcessError(RuntimeError):
    """A process did not start, or ended on its own."""


class Processes:
    """A context manager: the children run inside the block. Logs are in `<data folder>/logs`."""

    def __init__(self, *, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}"
        self._host, self._port = host, port
        self._log_starts: dict[str, int] = {}
        self._bind = f"{host}:{port}"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._broker = EmbeddedBroker(settings.DATA_DIR) if settings.BROKER_URL == "embedded" else None
        self._run_folder = settings.DATA_DIR / "run"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self._run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _locked(self._run_folder / "processes.lock")
        try:
            _refuse_taken(self._host, self._port)
            if self._broker is not None:
                self._broker.start()
            for name, command in self._commands().items():
                self.start(name, command)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def start(self, name: str, command: list[str]) -> None:
        """Start one child with a log of its own."""
        path = self.log_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            self._log_starts[name] = log.tell()
            self._children[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Torch's waiting threads would otherwise spin on the cores that web and database need.
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
                preexec_fn=_end_with_parent,  # noqa: PLW1509  one prctl, before any thread of ours exists
                start_new_session=True,
            )

    def log_path(self, name: str) -> Path:
        """Where a child writes."""
        return Path(settings.DATA_DIR) / "logs" / f"{name}.log"

    def wait_for(self, fetch: Callable[[], T | None], *, what: str, seconds: float) -> T:
        """Poll until `fetch` gives something true; raises ProcessError when a child ends, or after `seconds`."""
        ends_at = time.monotonic() + seconds
        while not (found := fetch()):
            self.refuse_ended()
            if time.monotonic() > ends_at:
                raise ProcessError(f"Waited {seconds:.0f} s for {what}. Look into {self.log_path('worker').parent}.")
            time.sleep(POLL_SECONDS)
        return found

    def refuse_ended(self) -> None:
        """Raises ProcessError, with the end of its log, when a child has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                written = self.log_path(name).read_bytes()[self._log_starts[name] :]
                lines = written.decode(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                raise ProcessError("\n".join([f"The {name} process ended with code {child.returncode}:", *lines]))

    def _commands(self) -> dict[str, list[str]]:
        manage = [sys.executable, str(settings.ROOT / "manage.py")]
        celery = [sys.executable, "-m", "celery", "-A", "workers.app"]
        return {
            **{name: [*manage, name] for name in ("sequencer", "checkpointer", "publisher")},
            "worker": [
                *celery,
                "worker",
                "-P",
                "solo",
                "-Q",
                "gpu,cpu",
                "-l",
                "info",
                "--without-gossip",
                "--without-mingle",
            ],
            "beat": [*celery, "beat", "-l", "warning", "-s", str(self._run_folder / "beat"), "--pidfile="],
            "web": [
                *(sys.executable, "-m", "gunicorn", "compliance.wsgi", "--bind", self._bind),
                *("--threads", "4", "--control-socket", str(self._run_folder / "gunicorn.sock")),
            ],
        }

    def _stop(self) -> None:
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
        ends_at = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, ends_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                # Nothing is lost: a job that was running is taken over when its lease ends.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if self._broker is not None:
            self._broker.stop()
        if self._lock is not None:
            self._lock.close()


def port_number(text: str) -> int:
    """A port from the command line; raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**16:
        raise ArgumentTypeError(f"expected a port from 1 to 65535, found {text!r}")
    return int(text)


def _refuse_taken(host: str, port: int) -> None:
    """Raises ProcessError when somebody listens there already: it might be another Expunge, which would answer for us."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise ProcessError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with --port.") from error


def _end_with_parent() -> None:
    """In the child: ask the kernel (Linux) for SIGTERM when the parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _locked(path: Path) -> IO[str]:
    """The lock of this data folder; raises ProcessError when other processes of ours are at work on it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ProcessError(
            f"Another `serve` or `demo` runs on {path.parent.parent}. Stop it first, or set EXPUNGE_DATA_DIR."
        ) from error
    return file
