"""A real broker for the tests: the one REDIS_URL names, else the embedded one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.embedded_broker import EmbeddedBroker


@contextmanager
def running(data_dir: Path) -> Iterator[str]:
    """The URL of a broker that answers, as kombu takes it."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    broker = EmbeddedBroker(data_dir)
    try:
        yield broker.start()
    finally:
        broker.stop()
