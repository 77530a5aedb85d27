"""What every test stands on: a folder of its own, a database of the chosen kind, no network.

`EXPUNGE_TEST_DATABASE` chooses the database: `sqlite` (the default) or `postgresql`; the same tests run on both.
Everything up to `django.setup()` runs when this file is loaded, before any test module and any other conftest, because
the settings are read once.
"""

import atexit
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

FOLDER = Path(tempfile.mkdtemp(prefix="expunge-tests-"))
# Also the server that runs as another user has to pass through; each folder inside is private to its owner.
FOLDER.chmod(0o711)
DATABASE = os.environ.get("EXPUNGE_TEST_DATABASE") or "sqlite"

from tests.services import loopback_only, postgres, watchdog  # noqa: E402 - see above

watchdog.guard(FOLDER)


def _database_url() -> str:
    if DATABASE == "sqlite":
        return f"sqlite:///{FOLDER / 'expunge.sqlite3'}"
    if DATABASE != "postgresql":
        raise ValueError(f"EXPUNGE_TEST_DATABASE must be sqlite or postgresql, found {DATABASE!r}.")
    given = postgres.given_url()
    if given is not None:
        return given
    server = postgres.Postgres(FOLDER / "postgres")
    url = server.start()
    atexit.register(server.stop)
    return url


def _set_environment() -> None:
    database_url = _database_url()
    for name in [name for name in os.environ if name.startswith("EXPUNGE_")]:
        del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "compliance.settings",
        "EXPUNGE_DEBUG": "1",
        "EXPUNGE_DATA_DIR": str(FOLDER / "data"),
        "EXPUNGE_KEYS_DIR": str(FOLDER / "data" / "keys"),
        "EXPUNGE_DISPATCHER": "compliance.requests.dispatch.NullDispatcher",
        "DATABASE_URL": database_url,
        # Idle threads must sleep: spinning ones starve the workers and servers beside them.
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
    }
    # What `collectstatic` makes in production; its absence is a warning, and warnings are errors.
    (FOLDER / "data").mkdir(mode=0o700, exist_ok=True)
    (FOLDER / "data" / "static").mkdir(exist_ok=True)


_set_environment()
_hosts = (urlsplit(os.environ[name]).hostname for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name))
loopback_only.install(host for host in _hosts if host)

import django  # noqa: E402 - the environment comes first

django.setup()

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402

from compliance.ledger import append_only  # noqa: E402
from tests.services import redis  # noqa: E402

if connection.vendor == "sqlite":
    # A file, as in production: threads and processes meet in it under WAL, which a database in memory does not have.
    connections.databases["default"]["TEST"]["NAME"] = str(FOLDER / "test.sqlite3")


def _is_transactional(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    marked = marker is not None and bool(marker.kwargs.get("transaction"))
    return marked or "transactional_db" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Transactional tests empty the tables; what the migrations put there has to be back for the next one."""
    for item in items:
        if _is_transactional(item):
            item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False)


@pytest.fixture(autouse=True)
def _append_only_ledger(request: pytest.FixtureRequest) -> Iterator[None]:
    """The triggers are on in every test, and out of the way when a transactional test's tables are emptied."""
    if not _is_transactional(request.node):
        yield
        return
    request.getfixturevalue("transactional_db")
    append_only.execute(connection, append_only.remove_statements(connection.vendor))
    append_only.execute(connection, append_only.install_statements(connection.vendor))
    yield
    append_only.execute(connection, append_only.remove_statements(connection.vendor))


@pytest.fixture(autouse=True)
def _own_ledger_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a database of its own, so the heads that were signed and published are its own, too."""
    monkeypatch.setattr(settings, "CHECKPOINT_GUARD_PATH", tmp_path / "guard" / "checkpoints.guard")
    monkeypatch.setattr(settings, "LOG_DIR", str(tmp_path / "log"))


@pytest.fixture
def ledger_db(transactional_db: None) -> None:
    """A database whose transactions really commit, with the append-only triggers on."""


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """A real broker: the one REDIS_URL names, else the embedded one of this data folder."""
    with redis.running(settings.DATA_DIR) as url:
        yield url


@pytest.fixture
def process_environment() -> dict[str, str]:
    """The environment for a process that a test starts: it sees the test's database and files (use it with `ledger_db`)."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        parts = urlsplit(os.environ["DATABASE_URL"])
        url = parts._replace(path=f"/{database['NAME']}").geturl()
    return {
        **os.environ,
        "DATABASE_URL": url,
        "EXPUNGE_CHECKPOINT_GUARD_PATH": str(settings.CHECKPOINT_GUARD_PATH),
        "EXPUNGE_LOG_DIR": settings.LOG_DIR,
    }
