"""Where published logs lie: a folder of this machine, or an object store behind fsspec.

Every file appears whole or not at all, under its own name. Names are relative and use slashes.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from django.core.exceptions import ImproperlyConfigured

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://.+")
_FILE_SCHEMES = ("file", "local")


class StoreError(RuntimeError):
    """Published files cannot be read or written."""


class LogStore(Protocol):
    """What the publisher needs to be able to do. All methods raise StoreError when the storage fails."""

    def read(self, name: str) -> bytes:
        """Its bytes; raises FileNotFoundError."""

    def open(self, name: str) -> IO[bytes]:
        """The file, to be streamed and closed by the caller; raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file durably, whole or not at all, in the place of one that may be there."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all its files; nothing happens when it is not there."""


def store_at(place: str) -> LogStore:
    """The store that EXPUNGE_LOG_DIR names: a path, or a URL such as s3://bucket/prefix.

    Raises ImproperlyConfigured when the URL is of a kind that is not installed.
    """
    match = _URL.fullmatch(place)
    if match is None:
        return DirectoryStore(Path(place))
    if match[1] in _FILE_SCHEMES:
        return DirectoryStore(Path(place.partition("://")[2]))
    return ObjectStore(place)


class DirectoryStore:
    """Files in a folder; each is written as a draft at the top of it, synced and renamed.

    A killed process leaves at most its draft, and that beside the logs: inside one, nothing would account for it.
    Published logs are for everybody who may enter the folder around them; what is private is for its owner alone.
    """

    def __init__(self, folder: Path, *, is_private: bool = False) -> None:
        self._folder = folder
        self._file_mode, self._folder_mode = (0o600, 0o700) if is_private else (0o644, 0o755)

    def read(self, name: str) -> bytes:
        """As LogStore has it."""
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> IO[bytes]:
        """As LogStore has it."""
        try:
            return (self._folder / name).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise FileNotFoundError(f"{name} is not published.") from error
        except OSError as error:
            raise StoreError(f"{self._folder / name} cannot be read: {error.strerror}.") from error

    def write(self, name: str, content: bytes) -> None:
        """As LogStore has it."""
        path, draft = self._folder / name, self._folder / f".draft-{os.getpid()}"
        try:
            self._make_folder(path.parent)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._file_mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from error

    def remove(self, name: str) -> None:
        """As LogStore has it."""
        path = self._folder / name
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be removed: {error.strerror}.") from error

    def _make_folder(self, folder: Path) -> None:
        """A new folder is only safe once the one around it is synced."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=self._folder_mode, exist_ok=True)
        _sync_folder(folder.parent)


class ObjectStore:
    """Objects under a URL, through whichever implementation of fsspec serves it. Its uploads are atomic."""

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs

            # Another writer's objects must be seen: no listing is kept.
            opened: tuple[Any, str] = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
            self._files, self._prefix = opened
        except (ImportError, ValueError) as error:
            raise ImproperlyConfigured(
                f"EXPUNGE_LOG_DIR is a URL of the kind {url.partition('://')[0]}, which needs another package. Install "
                "`expunge[object-store]` and the fsspec implementation of that store, such as s3fs or gcsfs."
            ) from error

    def read(self, name: str) -> bytes:
        """As LogStore has it."""
        with _failing_as(name, "read"):
            return bytes(self._files.cat_file(self._path(name)))

    def open(self, name: str) -> IO[bytes]:
        """As LogStore has it."""
        with _failing_as(name, "read"):
            file: IO[bytes] = self._files.open(self._path(name), "rb")
            return file

    def write(self, name: str, content: bytes) -> None:
        """As LogStore has it."""
        with _failing_as(name, "written"):
            self._files.pipe_file(self._path(name), content)

    def remove(self, name: str) -> None:
        """As LogStore has it."""
        with _failing_as(name, "removed"):
            if self._files.exists(self._path(name)):
                self._files.rm(self._path(name), recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._prefix.rstrip('/')}/{name}"


@contextmanager
def _failing_as(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        # Each implementation raises errors of its own library, whose messages may quote credentials.
        raise StoreError(f"{name} cannot be {what} in the object store ({type(error).__name__}).") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
