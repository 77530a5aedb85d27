"""The heads that were signed, kept outside the database: what a restored backup cannot take back.

One line a log, the note of its highest checkpoint. The file is written, and safely on the disk, before a checkpoint
can be read anywhere else. Never restore it from a backup, and never delete it: the ledger would sign a second history.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.evidence import canonical

_SHA256 = re.compile("[0-9a-f]{64}")


class GuardError(RuntimeError):
    """The guard file cannot be read, or does not hold what it must. Nothing was signed."""


class GuardNotWrittenError(GuardError):
    """There is no room for a head in the guard file. Nothing was signed."""


@dataclass(frozen=True)
class SignedHead:
    """A head that left, or may have left, this installation."""

    origin: str
    size: int
    root_sha256: str
    note: bytes


class Guard:
    """The file of one installation. Use it inside `locked`.

    A link is followed once, here: the file it points to is replaced, and the link stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the guard, after whichever process of this host holds it; raises GuardError when it cannot be opened."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise GuardError(f"The guard {self._path} cannot be locked: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def heads(self) -> dict[str, SignedHead]:
        """The highest signed head of each log, by origin; empty before the first. Raises GuardError."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise GuardError(f"The guard {self._path} cannot be read: {error.strerror}.") from error
        return self._highest(_parse(line, self._path) for line in lines)

    def remember(self, head: SignedHead) -> None:
        """Add a head, durably; raises GuardError, and then the head must not be used."""
        heads = self._highest([*self.heads().values(), head])
        content = b"".join(_line(each) for each in heads.values())
        temporary = self._beside("new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise GuardNotWrittenError(
                f"The guard {self._path} cannot be written: {error.strerror}. Nothing was signed."
            ) from error

    def _highest(self, heads: Iterable[SignedHead]) -> dict[str, SignedHead]:
        found: dict[str, SignedHead] = {}
        for head in heads:
            before = found.setdefault(head.origin, head)
            if before.size == head.size and before.root_sha256 != head.root_sha256:
                raise GuardError(
                    f"The guard {self._path} holds two heads over {head.size} entries of {head.origin}: the log was "
                    "signed twice. Find out which of them others have seen."
                )
            if head.size > before.size:
                found[head.origin] = head
        return found

    def _beside(self, suffix: str) -> Path:
        """A file of our own, under the guard's whole name: no guard is called like it."""
        return self._path.with_name(f"{self._path.name}.{suffix}")


def _line(head: SignedHead) -> bytes:
    note = canonical.encode_base64(head.note)
    value = {"origin": head.origin, "size": head.size, "root_sha256": head.root_sha256, "note": note}
    return canonical.dumps(value) + b"\n"


def _parse(line: bytes, path: Path) -> SignedHead:
    try:
        value: Any = json.loads(line)
        head = SignedHead(value["origin"], value["size"], value["root_sha256"], canonical.decode_base64(value["note"]))
        is_sound = isinstance(head.origin, str) and type(head.size) is int and head.size > 0
        if not is_sound or not _SHA256.fullmatch(head.root_sha256):
            raise ValueError("no head")
    except (KeyError, TypeError, ValueError) as error:
        raise GuardError(f"{path} holds a line that is none of a guard's. Find out who changed it.") from error
    return head


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
