"""The PostgreSQL that the tests start for themselves."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tests.services.postgres import Postgres, PostgresStartError, given_url


def new_folder() -> Path:
    """A folder that a server under another user can reach; the watchdog removes it."""
    folder = Path(tempfile.mkdtemp(dir=settings.DATA_DIR.parent, prefix="p"))
    folder.chmod(0o711)
    return folder / "postgres"


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    server = Postgres(new_folder(), durable=True)
    server.start()
    yield server
    server.stop()


def setting(server: Postgres, name: str) -> str:
    with psycopg.connect(server.url, dbname="postgres") as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_it_says_why_a_server_did_not_start() -> None:
    folder = new_folder()
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "leftover").touch()

    with pytest.raises(PostgresStartError, match="exists but is not empty"):
        Postgres(folder).start()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="not set"),
        pytest.param("sqlite:///x.sqlite3", id="sqlite"),
        pytest.param("mysql://localhost/x", id="another server"),
    ],
)
def test_it_takes_no_other_database_for_a_postgresql(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    assert given_url() is None


def test_it_listens_on_no_port(durable: Postgres) -> None:
    assert setting(durable, "listen_addresses") == ""


def test_its_socket_lies_in_a_private_folder(durable: Postgres) -> None:
    assert stat.S_IMODE((durable.folder / "socket").stat().st_mode) == 0o700


def test_it_does_not_run_as_root(durable: Postgres) -> None:
    pid = int((durable.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_a_durable_one_waits_for_the_disk(durable: Postgres) -> None:
    assert setting(durable, "fsync") == setting(durable, "synchronous_commit") == "on"


def test_the_url_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DATABASE_URL", "postgresql://db/expunge")

    assert given_url() == "postgresql://db/expunge"
