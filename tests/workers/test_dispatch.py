"""Messages: what is in them, where they go, and what happens when nobody takes them."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import redis
from django.conf import settings

from workers.app import app
from workers.dispatch import CeleryDispatcher

ID = uuid.UUID("00000000-0000-4000-8000-00000000beef")
#: Far above what is promised; only a call that would hang is stopped by it.
PATIENCE_SECONDS = 30.0


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def returns(url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether sending to this broker comes back without an error."""
    monkeypatch.setattr(app.conf, "broker_url", url)
    has_returned = threading.Event()

    def send() -> None:
        CeleryDispatcher().plan(ID)
        has_returned.set()

    threading.Thread(target=send, daemon=True).start()
    return has_returned.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/broker.sock"])
def test_a_broker_that_is_away_is_logged_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    assert returns(url, monkeypatch)
    assert f"plan {ID} not sent (OperationalError)" in caplog.text


def test_a_broker_that_accepts_but_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silent_port: int
) -> None:
    assert returns(f"redis://127.0.0.1:{silent_port}/0", monkeypatch)
    assert f"plan {ID} not sent (OperationalError)" in caplog.text


@pytest.fixture
def queues(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """The broker's own view; the queues are empty before and after."""
    monkeypatch.setattr(app.conf, "broker_url", broker_url)
    parts = urlsplit(broker_url)
    client = (
        redis.Redis(unix_socket_path=unquote(parts.path))
        if parts.scheme == "redis+socket"
        else redis.Redis.from_url(broker_url)
    )
    with client:
        client.delete("cpu", "gpu")
        yield client
        client.delete("cpu", "gpu")


def messages(client: redis.Redis, queue: str) -> list[Any]:
    """Task and arguments of what waits in a queue."""
    found = []
    for raw in client.lrange(queue, 0, -1):
        message = json.loads(raw)
        arguments, keywords, _ = json.loads(base64.b64decode(message["body"]))
        assert message["content-type"] == "application/json"
        assert keywords == {}
        found.append([message["headers"]["task"], arguments])
    return found


def test_each_message_is_a_task_and_one_id(queues: redis.Redis) -> None:
    dispatcher = CeleryDispatcher()
    dispatcher.ask_identity(ID)
    dispatcher.plan(ID)
    dispatcher.run_job(ID, "cpu")
    dispatcher.send_letter(7)
    assert sorted(messages(queues, "cpu"), key=str) == sorted(
        [
            ["workers.tasks.ask_identity", [str(ID)]],
            ["workers.tasks.plan", [str(ID)]],
            ["workers.tasks.run_job", [str(ID)]],
            ["workers.tasks.send_letter", [7]],
        ],
        key=str,
    )


def test_a_job_for_an_accelerator_goes_to_its_queue_alone(queues: redis.Redis) -> None:
    CeleryDispatcher().run_job(ID, "gpu")
    assert messages(queues, "gpu") == [["workers.tasks.run_job", [str(ID)]]]
    assert messages(queues, "cpu") == []


def test_an_error_of_the_broker_other_than_absence_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ValueError("not a broker's error")

    monkeypatch.setattr(app, "send_task", refuse)
    with pytest.raises(ValueError, match="not a broker's error"):
        CeleryDispatcher().plan(ID)


def test_every_task_that_is_sent_exists() -> None:
    app.loader.import_default_modules()
    names = {f"workers.tasks.{name}" for name in vars(CeleryDispatcher) if not name.startswith("_")}
    assert names | {"workers.tasks.sweep"} <= set(app.tasks)


def test_web_and_beat_processes_do_not_load_torch() -> None:
    program = (
        "import django; django.setup()\n"
        "import sys, workers.dispatch, workers.tasks, workers.sweep\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=settings.ROOT, check=False)
    assert done.returncode == 0


def test_waiting_threads_of_a_worker_sleep() -> None:
    program = "import workers.app, os; print(os.environ['OMP_WAIT_POLICY'])"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "PASSIVE"
