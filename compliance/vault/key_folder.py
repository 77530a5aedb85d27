"""A folder of master keys: a file `<key id>.key` for each, and the file `current`, which names the one that wraps.

Files are read anew for each use, so that a rotation holds for every process at once and a retired key stays nowhere
longer than its file. A file is never replaced; only `destroy` removes one.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compliance.vault import local_key, sealing
from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.local_key import LocalKey
from compliance.vault.wrapping import KEY_ID_CHARACTERS

_SUFFIX = ".key"
_CURRENT = "current"
_KEY_ID = re.compile(rf"[0-9a-f]{{{KEY_ID_CHARACTERS}}}")
_MOST_BYTES = 1024
# What a key is overwritten with, so that a destruction that was cut off is known from damage, and can be finished.
_DESTROYED = b"destroyed"
_CREATE_HELP = "Make one with `manage.py vault_keys create`."


@dataclass(frozen=True)
class KeyFolder:
    """The master keys in one folder."""

    path: Path

    def ids(self) -> list[str]:
        """The ids of the keys that are here, in order; raises KeyRingError."""
        with self._explained():
            names = [entry.name for entry in self.path.iterdir() if entry.suffix == _SUFFIX]
        return sorted(name.removesuffix(_SUFFIX) for name in names if _is_id(name.removesuffix(_SUFFIX)))

    def current_id(self) -> str:
        """The key that new rows are wrapped under: the one named by `current`, or the only one there is.

        Raises KeyRingError when there is none, or it is not said which.
        """
        self._refuse_writable_by_others()
        try:
            named = (self.path / _CURRENT).read_bytes()[:_MOST_BYTES].decode("ascii", "replace").strip()
        except FileNotFoundError:
            return self._only_id()
        except OSError as error:
            raise KeyRingError(f"{self.path / _CURRENT} cannot be read: {error.strerror}.") from error
        if not _is_id(named):
            raise KeyRingError(f"{self.path / _CURRENT} should hold the id of a key: {KEY_ID_CHARACTERS} hex digits.")
        return named

    def load(self, key_id: str) -> LocalKey:
        """The key of this id; raises VaultError when it is not here, KeyRingError for a file that cannot be used."""
        path = self._path_of(key_id)
        try:
            text = _read_private(path)
            if text.startswith(_DESTROYED):
                raise VaultError(
                    f"The master key {key_id} is destroyed. Run `manage.py vault_keys retire {key_id}` again."
                )
            key = local_key.parse(text)
        except FileNotFoundError as error:
            raise VaultError(
                f"The master key {key_id} is not in {self.path}. If it was retired, what it wrapped cannot be opened "
                "any more; if not, copy its file there."
            ) from error
        except OSError as error:
            raise KeyRingError(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise KeyRingError(f"{path}: {error}") from error
        if key.key_id != key_id:
            raise KeyRingError(f"{path} holds the key {key.key_id}. The file was renamed or damaged.")
        return key

    def made_at(self, key_id: str) -> datetime:
        """When the file was written, as far as its folder tells; raises KeyRingError."""
        with self._explained():
            return datetime.fromtimestamp(self._path_of(key_id).stat().st_mtime, tz=UTC)

    def create(self) -> LocalKey:
        """Write a new key, durably. The first key of a folder is at once the current one. Raises KeyRingError."""
        key = LocalKey(sealing.new_key())
        with self._explained():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            is_first = not self.ids()
            self._write(self._path_of(key.key_id).name, local_key.to_text(key))
        if is_first:
            self.make_current(key.key_id)
        return key

    def make_current(self, key_id: str) -> None:
        """Let a key that is here wrap from now on, in one step, durably; raises VaultError, KeyRingError."""
        self.load(key_id)
        with self._explained():
            self._write(_CURRENT, f"{key_id}\n".encode())

    def destroy(self, key_id: str) -> None:
        """Overwrite the file of a key and remove it, durably; raises VaultError, KeyRingError.

        Overwriting is what a file can do: disks that write elsewhere, snapshots and backups keep what they have.
        One that was cut off is finished.
        """
        if not self.is_destroyed(key_id):
            self.load(key_id)
        path = self._path_of(key_id)
        with self._explained():
            # The file it is, also where a name leads to another folder, as mounted secrets have it.
            path = path.resolve(strict=True)
            with path.open("r+b") as file:
                n_bytes = file.seek(0, os.SEEK_END)
                file.seek(0)
                file.write(_DESTROYED.ljust(n_bytes))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            self._path_of(key_id).unlink(missing_ok=True)
            _sync(self.path)

    def is_destroyed(self, key_id: str) -> bool:
        """Whether a destruction of this key was cut off after the key was gone, and before its file; raises KeyRingError."""
        path = self._path_of(key_id)
        try:
            return _read_private(path).startswith(_DESTROYED)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise KeyRingError(f"{path} cannot be read: {error.strerror}.") from error

    def _only_id(self) -> str:
        found = self.ids()
        if not found:
            raise KeyRingError(f"There is no master key in {self.path}. {_CREATE_HELP}")
        if len(found) > 1:
            raise KeyRingError(
                f"{self.path} holds {len(found)} keys, and no file `current` says which one wraps. Run "
                "`manage.py vault_keys rotate --to KEY`."
            )
        return found[0]

    def _path_of(self, key_id: str) -> Path:
        if not _is_id(key_id):
            raise KeyRingError(f"The id of a master key has {KEY_ID_CHARACTERS} hex digits, found another text.")
        return self.path / f"{key_id}{_SUFFIX}"

    def _write(self, name: str, content: bytes) -> None:
        """A whole file or none, in the place of `name`."""
        draft = self.path / f".{name}.{secrets.token_hex(8)}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path / name)
            _sync(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _refuse_writable_by_others(self) -> None:
        with self._explained():
            mode = self.path.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyRingError(
                f"Others than its owner can write into {self.path}, and could choose the key. Run: chmod 700 {self.path}"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise KeyRingError(f"{error.filename} is not there. {_CREATE_HELP}") from error
        except OSError as error:
            raise KeyRingError(f"{error.filename or self.path} cannot be used: {error.strerror}.") from error


def _is_id(text: str) -> bool:
    return _KEY_ID.fullmatch(text) is not None


def _read_private(path: Path) -> bytes:
    """Raises KeyRingError for a file that others can reach, and OSError."""
    # Without O_NONBLOCK a named pipe in the place of the key would hang the process.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # Asked of the open file, not of the name, which could be another file a moment later.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise KeyRingError(f"{path} should be a plain file that holds a master key in base64.")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyRingError(f"{path} can be reached by others than its owner. Run: chmod 600 {path}")
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
