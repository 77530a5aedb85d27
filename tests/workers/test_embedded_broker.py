"""The broker of a single machine: private, one per data folder, and no trouble after a kill."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from kombu.connection import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers import embedded_broker
from workers.embedded_broker import BrokerError, EmbeddedBroker, socket_path

# Starts the broker of a data folder, says so, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from workers.embedded_broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]))
broker.start()
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def data_dir() -> Path:
    """Inside the folder whose processes end with the tests, and short enough for a socket."""
    return Path(tempfile.mkdtemp(dir=settings.DATA_DIR.parent, prefix="b"))


@pytest.fixture
def parent(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the broker of the data folder."""
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    yield process
    kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def client(data_dir: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket_path(data_dir)), retry=Retry(NoBackoff(), 0))


def kombu(url: str) -> Connection:
    """The connection that Celery makes."""
    return Connection(url)  # type: ignore[no-untyped-call]


def server_pid(data_dir: Path) -> int:
    with client(data_dir) as connection:
        return int(connection.info("server")["process_id"])


def answers(data_dir: Path) -> bool:
    try:
        with client(data_dir) as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_it_refuses_a_folder_that_is_a_link(data_dir: Path) -> None:
    (data_dir / "elsewhere").mkdir()
    (data_dir / "run").symlink_to(data_dir / "elsewhere")

    with pytest.raises(BrokerError, match="should be a folder of uid"):
        EmbeddedBroker(data_dir).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_it_refuses_a_folder_of_another_user(data_dir: Path) -> None:
    (data_dir / "run").mkdir()
    os.chown(data_dir / "run", 1, 1)

    with pytest.raises(BrokerError, match="found uid 1; remove it"):
        EmbeddedBroker(data_dir).start()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        pytest.param("missing", "cannot be run: .* Set REDIS_URL", id="not there"),
        pytest.param("/dev/null", "cannot be run: .* Set REDIS_URL", id="not a program"),
        pytest.param("/bin/false", "did not answer on .* Set REDIS_URL", id="ends at once"),
    ],
)
def test_it_says_what_to_do_when_the_server_does_not_run(program: str, message: str, data_dir: Path) -> None:
    broker = EmbeddedBroker(data_dir, server=Path(program))

    with pytest.raises(BrokerError, match=message):
        broker.start()

    with EmbeddedBroker(data_dir):
        assert answers(data_dir)


def test_it_carries_messages(data_dir: Path) -> None:
    broker = EmbeddedBroker(data_dir)
    with kombu(broker.start()) as connection:
        queue = connection.SimpleQueue("jobs")
        queue.put({"job_id": "7"})
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    broker.stop()

    assert message.payload == {"job_id": "7"}


def test_a_path_with_spaces_and_marks_is_no_trouble(data_dir: Path) -> None:
    odd = data_dir / "a b%20?#"
    with EmbeddedBroker(odd), kombu(EmbeddedBroker(odd).start()) as connection:
        connection.ensure_connection(max_retries=1)


def test_a_path_too_long_for_a_socket_is_no_trouble(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(data_dir))
    long = data_dir / ("x" * 120)
    with EmbeddedBroker(long) as broker:
        assert answers(long)
        folder = broker.socket.parent.parent

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert socket_path(long) != socket_path(data_dir / ("y" * 120))


def test_only_this_installation_reaches_it(data_dir: Path) -> None:
    with EmbeddedBroker(data_dir) as broker, client(data_dir) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert stat.S_IMODE(broker.socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(broker.socket.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_it_does_not_run_as_root(data_dir: Path) -> None:
    data_dir.chmod(0o700)
    with EmbeddedBroker(data_dir):
        assert Path(f"/proc/{server_pid(data_dir)}").stat().st_uid != 0


def test_it_stores_nothing(data_dir: Path) -> None:
    with EmbeddedBroker(data_dir) as broker, client(data_dir) as connection:
        connection.set("job", "7")
    assert list(broker.socket.parent.iterdir()) == []

    with EmbeddedBroker(data_dir), client(data_dir) as connection:
        assert connection.get("job") is None


def test_stopping_twice_does_nothing(data_dir: Path) -> None:
    broker = EmbeddedBroker(data_dir)
    broker.start()

    broker.stop()
    broker.stop()

    assert not answers(data_dir)


def test_the_orphan_of_a_killed_parent_is_replaced(data_dir: Path, parent: subprocess.Popen[str]) -> None:
    orphan = server_pid(data_dir)
    kill(parent)
    assert answers(data_dir)

    with EmbeddedBroker(data_dir):
        assert server_pid(data_dir) != orphan
        assert wait_until(lambda: not Path(f"/proc/{orphan}/cwd").exists())


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda path, pid: os.kill(pid, signal.SIGSTOP), id="it hangs"),
        pytest.param(lambda path, pid: path.unlink(), id="its socket was removed"),
    ],
)
def test_an_orphan_that_does_not_answer_is_killed(
    harm: Callable[[Path, int], None], data_dir: Path, parent: subprocess.Popen[str]
) -> None:
    orphan = server_pid(data_dir)
    kill(parent)
    harm(socket_path(data_dir), orphan)

    with EmbeddedBroker(data_dir):
        assert answers(data_dir)
        assert wait_until(lambda: not Path(f"/proc/{orphan}/cwd").exists())


def test_a_process_that_only_has_the_number_of_the_orphan_lives_on(data_dir: Path) -> None:
    with EmbeddedBroker(data_dir) as broker:
        pid_file = broker.socket.parent / "broker.pid"
    neighbour = subprocess.Popen(["sleep", "600"])
    pid_file.write_text(f"{neighbour.pid}\n")

    with EmbeddedBroker(data_dir):
        assert neighbour.poll() is None

    neighbour.kill()
    neighbour.wait()


def test_a_second_process_uses_the_broker_of_the_first_and_leaves_it(
    data_dir: Path, parent: subprocess.Popen[str]
) -> None:
    first = server_pid(data_dir)

    with EmbeddedBroker(data_dir):
        assert server_pid(data_dir) == first

    assert server_pid(data_dir) == first


def test_every_process_finds_it_through_the_settings(broker_url: str) -> None:
    assert embedded_broker.broker_url() == broker_url
    with kombu(broker_url) as connection:
        connection.ensure_connection(max_retries=1)
