"""Every place in which something of a person could be left behind, read as bytes, without knowing what should be there.

Tables are those that the database itself names, and folders are walked: what is added later is searched, too.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection

from tests.journey import backups


class LogKeeper(logging.Handler):
    """Keeps every record of every logger from DEBUG on: message, traceback, and what was given beside them.

    But `request`, which Django adds for handlers that mail errors to administrators; this service has none, and the
    record shows the query that a client made up.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        self._known = logging.makeLogRecord({}).__dict__.keys() | {"request"}
        self.lines: list[str] = []
        # What earlier tests left in the folders of the run, about the same invented people, is theirs.
        self.began_at = time.time()

    def emit(self, record: logging.LogRecord) -> None:
        beside = {name: value for name, value in vars(record).items() if name not in self._known}
        self.lines.append(f"{self.format(record)} {beside!r}")


def everything(*, broker_url: str, log: LogKeeper, folders: dict[str, Path]) -> dict[str, bytes]:
    """What is where, by the name of the place."""
    found = {f"table {table}": _rows(table) for table in connection.introspection.table_names()}
    found["database dump"] = backups.dump().encode()
    found |= {f"database file {path.name}": path.read_bytes() for path in _database_files()}
    found["log"] = "\n".join(log.lines).encode()
    found["broker"] = _broker(broker_url)
    found["cache"] = b"\n".join(_cache(name) for name in caches)
    found["guard"] = _content(Path(settings.CHECKPOINT_GUARD_PATH))
    named = {
        "artifacts": Path(settings.ARTIFACTS_DIR),
        "published log": Path(settings.LOG_DIR),
        "data folder": Path(settings.DATA_DIR),
        **folders,
    }
    return found | {name: _folder(path, log.began_at) for name, path in named.items()}


def _rows(table: str) -> bytes:
    """All rows; columns of bytes as they are, not as a driver shows them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  a name that the database gave
        return b"\n".join(_bytes(cell) for row in cursor.fetchall() for cell in row)


def _bytes(cell: Any) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def _database_files() -> Iterator[Path]:
    """The file itself, after what was deleted in it has been given up."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(str(connection.settings_dict["NAME"]))
    yield from (each for each in path.parent.glob(f"{path.name}*") if each.is_file())


def _broker(url: str) -> bytes:
    """Every key of the real broker with its value, of whatever type it is; DUMP knows them all."""
    client = _client(url)
    found = []
    for key in client.scan_iter("*"):
        kind = client.type(key)
        found += [key, client.dump(key) or b""]
        if kind == b"list":
            found += client.lrange(key, 0, -1)
        elif kind == b"set":
            found += list(client.smembers(key))
        elif kind == b"hash":
            found += [part for pair in client.hgetall(key).items() for part in pair]
        elif kind == b"zset":
            found += client.zrange(key, 0, -1)
        elif kind == b"string":
            found.append(client.get(key))
    client.close()
    return b"\n".join(found)


def n_messages(url: str) -> int:
    """How many messages wait in the queue."""
    client = _client(url)
    length = int(client.llen("cpu"))
    client.close()
    return length


def _client(url: str) -> Any:
    return redis.Redis.from_url(url.replace("redis+socket://", "unix://"))


def _cache(name: str) -> bytes:
    """The entries of a cache in this process, keys and (pickled) values."""
    entries: dict[str, bytes] = getattr(caches[name], "_cache", {})
    return b"\n".join(key.encode() + b"\n" + value for key, value in entries.items())


def _folder(folder: Path, since: float) -> bytes:
    """Names and contents of all files below that were written since."""
    plain = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    # A file system may round down, by less than this.
    files = sorted(path for path in plain if path.stat().st_mtime > since - 1)
    return b"\n".join(str(path.relative_to(folder)).encode() + b"\n" + _content(path) for path in files)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
