"""The folder of a witness: its key, and for each log the keys and the newest checkpoint that it cosigned.

    witness.key          private key, PEM, of the owner alone
    witness.vkey         the public half with the witness's name
    logs/<sha256>.json   one log: origin, vkeys, newest note; named by the SHA-256 of the origin
    watched              the origin of each of these logs, one a line; it only grows
    forks/*.note         notes of a log that signed two roots for one size
    lock                 held by the one process that serves or changes the folder

What a witness has signed must never be forgotten: a file is replaced as a whole and forced to the disk before anybody
is told. A folder that was damaged is refused, also one that lost the file of a log that it watched. A folder that was restored from an old copy looks intact, and makes the
witness sign a second history: never restore one.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, checkpoint, cosignature, key_files
from compliance.evidence.checkpoint import VerifierKey
from compliance.evidence.witness.service import KnownLog

_FORMAT = "expunge-witness-log/1"
_LOG_FILE = re.compile(r"[0-9a-f]{64}\.json")
_MAX_FILE_BYTES = 1_048_576
# Only a log's own key can make one, and two are proof enough.
_MAX_FORKS = 1_000


class StateFolderError(Exception):
    """A state folder that cannot be used: the message says what was found and what to do."""


def create(folder: Path, name: str) -> VerifierKey:
    """Make a folder with a new key under a name.

    Raises StateFolderError where it cannot be made, and CheckpointMalformedError for a name that no note can carry.
    """
    folder = folder.absolute()
    key = Ed25519PrivateKey.generate()
    vkey = cosignature.vkey(name, key.public_key())
    draft = folder.parent / f".{folder.name}.new-{os.getpid()}"
    try:
        for part in (draft, draft / "logs", draft / "forks"):
            part.mkdir(mode=0o700)
        key_files.write(draft / "witness.key", key)
        replace_file(draft / "witness.vkey", f"{vkey}\n".encode())
        replace_file(draft / "watched", b"")
        # A folder appears whole or not at all, and never in the place of one that holds something.
        draft.rename(folder)
    except OSError as error:
        _remove_draft(draft)
        raise StateFolderError(f"{folder} cannot be made: {error.strerror or error}. Name a new folder.") from error
    _force(folder.parent)
    return cosignature.parse_vkey(vkey)


def origin_sha256(origin: str) -> str:
    """Hex SHA-256 of an origin: the name of its file, and the address of its newest checkpoint."""
    return sha256(origin.encode()).hexdigest()


@dataclass(frozen=True)
class State:
    """What a folder holds, verified: each note carries a signature of its log and one of the witness."""

    vkey: VerifierKey
    logs: Mapping[str, KnownLog]
    watched: tuple[str, ...]
    n_forks: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder without its key; raises StateFolderError."""
        try:
            vkey = cosignature.parse_vkey(_read(folder / "witness.vkey").decode())
            # Before the logs, for one may be added meanwhile.
            watched = _parse_watched(_read(folder / "watched"))
            paths = sorted(path for path in (folder / "logs").iterdir() if _LOG_FILE.fullmatch(path.name))
            logs = [_parse_log(path, vkey) for path in paths]
            _refuse_missing(watched, logs)
            n_forks = len(list((folder / "forks").glob("*.note")))
        except OSError as error:
            raise StateFolderError(
                f"{folder} is no folder of a witness: {error.strerror}. Make one with `witness init`."
            ) from error
        except ValueError as error:
            raise StateFolderError(f"{folder} was damaged: {error} {_REMEDY}") from error
        return cls(vkey, {log.origin: log for log in logs}, watched, n_forks)


_REMEDY = "Do not restore an old copy: begin anew with a new folder and a new key."


class Store:
    """A folder that this process alone serves."""

    def __init__(self, folder: Path, state: State, key: Ed25519PrivateKey) -> None:
        self._folder = folder
        self._logs = dict(state.logs)
        self._watched = state.watched
        self.vkey = state.vkey
        self.key = key

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Lock and read a folder; raises StateFolderError, also when another process holds it."""
        with _locked(folder):
            state = State.read(folder)
            key = _load_key(folder / "witness.key")
            if key.public_key().public_bytes_raw() != state.vkey.public_key_bytes:
                raise StateFolderError(f"{folder} was damaged: witness.key and witness.vkey do not belong together.")
            opened = cls(folder, state, key)
            # A process that was killed while it added a log got no further than the log's own file.
            opened._keep_watching(state.logs)
            yield opened

    @property
    def logs(self) -> Mapping[str, KnownLog]:
        """The logs that are watched, by origin, as they are on the disk."""
        return self._logs

    def add_log(self, vkey: str) -> KnownLog:
        """Watch a log, or take a further key of an origin; raises CheckpointKeyError, OSError."""
        key = checkpoint.parse_vkey(vkey)
        known = self._logs.get(key.name, KnownLog(key.name, ()))
        log = replace(known, vkeys=tuple(dict.fromkeys([*known.vkeys, str(key)])))
        self.save(log)
        self._keep_watching([log.origin])
        return log

    def save(self, log: KnownLog) -> None:
        """Put what is known of a log on the disk, and only then into memory.

        Raises OSError: memory is as it was, and nobody may be told of the new note, which the disk may hold or not.
        """
        text = None if log.note is None else log.note.decode()
        record = {"format": _FORMAT, "origin": log.origin, "vkeys": list(log.vkeys), "note": text}
        replace_file(self._folder / "logs" / f"{origin_sha256(log.origin)}.json", canonical.dumps(record))
        self._logs[log.origin] = log

    def _keep_watching(self, origins: Iterable[str]) -> None:
        watched = tuple(dict.fromkeys([*self._watched, *origins]))
        if watched != self._watched:
            replace_file(self._folder / "watched", "".join(f"{origin}\n" for origin in watched).encode())
            self._watched = watched

    def keep_fork(self, *notes: bytes) -> None:
        """Keep notes that prove that a log signed two histories; raises OSError."""
        folder = self._folder / "forks"
        for note in notes:
            head = checkpoint.parse_body(checkpoint.split_note(note)[0])
            path = folder / f"{origin_sha256(head.origin)[:16]}-{head.size}-{head.root.hex()[:16]}.note"
            if not path.exists() and len(list(folder.glob("*.note"))) < _MAX_FORKS:
                replace_file(path, note)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file as a whole: whatever happens, it holds the old bytes or these, and these once this returns."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _force(path.parent)


def _force(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StateFolderError(
            f"{folder} is no folder of a witness: {error.strerror}. Make one with `witness init`."
        ) from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    # Windows has no such module. The verifier, which shares its command line with the witness, has to start there.
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StateFolderError(f"Another process uses {folder}. Stop it first: one folder has one process.") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_FILE_BYTES + 1)
    if len(data) > _MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is larger than any such file.")
    return data


def _parse_log(path: Path, witness: VerifierKey) -> KnownLog:
    """One log's file; everything in it is verified again, so that no damage becomes a signature."""
    record = canonical.loads(_read(path))
    if not isinstance(record, dict) or set(record) != {"format", "origin", "vkeys", "note"}:
        raise ValueError(f"{path.name} is not in the format {_FORMAT}.")
    origin, vkeys, note = record["origin"], record["vkeys"], record["note"]
    if record["format"] != _FORMAT or not isinstance(origin, str) or path.stem != origin_sha256(origin):
        raise ValueError(f"{path.name} is not in the format {_FORMAT}, or is the file of another log.")
    if not isinstance(vkeys, list) or not vkeys or {checkpoint.parse_vkey(str(key)).name for key in vkeys} != {origin}:
        raise ValueError(f"{path.name} does not hold keys of its log.")
    if note is None:
        return KnownLog(origin, tuple(vkeys))
    if not isinstance(note, str):
        raise ValueError(f"{path.name} does not hold a note.")
    if checkpoint.open_note(note.encode(), vkeys).origin != origin:
        raise ValueError(f"{path.name} holds the checkpoint of another log.")
    if not cosignature.cosignatures(note.encode(), str(witness)):
        raise ValueError(f"{path.name} holds a checkpoint that this witness did not cosign.")
    return KnownLog(origin, tuple(vkeys), note.encode())


def _parse_watched(data: bytes) -> tuple[str, ...]:
    *origins, rest = data.decode().split("\n")
    if rest or not all(origins) or len(set(origins)) != len(origins):
        raise ValueError("watched is not a list of origins, one a line.")
    return tuple(origins)


def _refuse_missing(watched: Iterable[str], logs: Iterable[KnownLog]) -> None:
    """What was signed of such a log is not known any more; beginning it anew would sign a second history."""
    missing = sorted(set(watched) - {log.origin for log in logs})
    if missing:
        raise ValueError(f"The file logs/{origin_sha256(missing[0])}.json of the log {missing[0]} is missing.")


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        return key_files.load_log_key(path)
    except key_files.KeyFileError as error:
        raise StateFolderError(str(error)) from error


def _remove_draft(draft: Path) -> None:
    """A folder that was not finished holds a key that nobody was told."""
    for name in ("witness.key", "witness.vkey", ".witness.vkey.new", "watched", ".watched.new"):
        (draft / name).unlink(missing_ok=True)
    for part in (draft / "logs", draft / "forks", draft):
        if part.is_dir():
            part.rmdir()
