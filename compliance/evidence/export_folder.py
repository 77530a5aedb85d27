"""An export as it lies on disk: whole logs, and what was disclosed of each request.

    README.txt  export.json              for the person who opens it; which logs are inside
    trust.json  trusted_root.json        the controller's trust file, and the same for Sigstore clients
    logs/<folder>/checkpoint             and tiles, entries and time stamps as C2SP tlog-tiles has them
    requests/<id>/<target>.evidence.sigstore.json  <target>.closing.sigstore.json
    requests/<id>/openings.json          until the openings are shredded
    models/<sha256>.json  policies/<sha256>.json

Nothing lists what belongs to a request: a Sigstore bundle names its entry, signed results the models, and the ledger the
policy.
A request without a folder was not disclosed, or there is nothing left of it to disclose: its entries are in the log like
all others, and are checked as far as entries alone allow. Reading refuses links, and files that nothing accounts for.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from compliance.evidence import canonical, file_limits
from compliance.evidence.errors import (
    MalformedFileError,
    MissingFileError,
    UnexpectedFileError,
    UnreadableError,
    UnsafeMemberError,
)
from compliance.evidence.export_index import ExportIndex, parse_export
from compliance.evidence.file_limits import MAX_FILE_BYTES

# The deepest file of a log of 2**63 entries lies below nine folders.
_MAX_DEPTH = 12
_TOP = frozenset({"README.txt", "export.json", "trust.json", "trusted_root.json"})
_FOLDERS = frozenset({"logs", "requests", "models", "policies"})
_OPENINGS = "openings.json"
# What a signed statement is: the result of a target's run, or the summary once the request is completed.
Kind = Literal["evidence", "closing"]
# Part of the format, as in a bundle: people do what it says.
README = """Expunge export: whole ledgers and the evidence of the requests disclosed, verifiable without the server.

To verify it you need Python 3.11, the package `expunge` and the library `cryptography`, nothing else:

    python -m compliance.evidence verify THIS-FOLDER --trust trust.json

Use the trust file that you obtained from the controller on another way, after comparing its fingerprint; the one in
this folder may have come with whatever else is wrong with it.

    python -m compliance.evidence explain THIS-FOLDER REQUEST-ID     tells one request's story with its proofs

Other programs verify parts of it, too: docs/evidence.md shows how with OpenSSL, cosign, Node and Go.
"""


class Disclosed(NamedTuple):
    """What the folder of a request holds: the targets with a signed result, those with a summary, and openings or not."""

    evidence: tuple[str, ...] = ()
    closings: tuple[str, ...] = ()
    is_opened: bool = False


@dataclass(frozen=True)
class ExportFolder:
    """An opened export; its files are read when they are asked for."""

    path: str
    index: ExportIndex
    requests: frozenset[str]

    def log_path(self, folder: str) -> Path:
        """Where a log lies."""
        return Path(self.path, "logs", folder)

    def disclosed(self, request: str) -> Disclosed:
        """What was disclosed of a request, by the names of its files; nothing of one without a folder.

        That each is a plain file is seen when it is read, which they all are. Raises UnreadableError, MissingFileError
        for an empty folder, and UnexpectedFileError.
        """
        if request not in self.requests:
            return Disclosed()
        place = f"requests/{request}"
        try:
            names = os.listdir(f"{self.path}/{place}")  # noqa: PTH208  many folders, of which only names are asked
        except OSError as error:
            raise UnreadableError(f"{place} cannot be listed: {error.strerror or error}.") from error
        if not names:
            raise MissingFileError(
                f"{place} is empty. It must hold what was disclosed of the request, or not be there."
            )
        return _disclosed(place, names)

    def holds(self, name: str) -> bool:
        """Whether there is something under this path, a link included."""
        return os.path.lexists(f"{self.path}/{name}")

    def read(self, name: str) -> bytes:
        """A file by its path in the export; raises MissingFileError, TooLargeError, UnsafeMemberError."""
        return read_file(self.path, name, file_limits.max_bytes_of(name))


def open_folder(path: Path) -> ExportFolder:
    """Open an export; raises Unreadable-, TooLarge-, UnsafeMember-, MissingFile-, UnexpectedFile- or
    MalformedFileError."""
    found = _listed(path)
    if found is None:
        raise UnreadableError(f"{path} should be the folder of an export.")
    index = parse_export(_read_top(path, "export.json"))
    if _read_top(path, "README.txt") != README.encode():
        raise MalformedFileError("README.txt is not the text of this format. Do not do what it says.")
    _refuse_misplaced(found)
    folders = {log.folder for log in index.logs}
    logs = _subfolders(path / "logs")
    if logs != folders:
        raise MissingFileError(f"export.json lists the logs {sorted(folders)}; found are {sorted(logs)}.")
    return ExportFolder(path=str(path), index=index, requests=frozenset(_subfolders(path / "requests")))


def names_in(folder: str | Path) -> list[str]:
    """The files below a folder by their relative path, none when it is not there.

    Raises UnsafeMemberError for a link, UnexpectedFileError for folders that are nested more deeply than any of an
    export, UnreadableError for one that the system does not list.
    """
    names, waiting = [], [("", 0)]
    while waiting:
        below, depth = waiting.pop()
        for member in _listed(f"{folder}/{below}") or []:
            name = f"{below}{member.name}"
            if member.is_link:
                raise UnsafeMemberError(f"{folder}/{name} is a symbolic link; an export holds none.")
            if not member.is_folder:
                names.append(name)
            elif depth < _MAX_DEPTH:
                waiting.append((f"{name}/", depth + 1))
            else:
                raise UnexpectedFileError(f"{folder}/{name} lies below more folders than any file of an export.")
    return names


def read_file(root: str | Path, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a plain file; raises MissingFileError, TooLargeError or UnsafeMemberError."""
    try:
        descriptor = os.open(f"{root}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise MissingFileError(f"The export must hold {name}, which is missing.") from error
    except OSError as error:
        raise UnsafeMemberError(f"{name} cannot be read as a plain file: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeMemberError(f"{name} should be a plain file.")
        file_limits.refuse_large(name, status.st_size, max_bytes)
        content = os.read(descriptor, status.st_size + 1)
        while len(content) < status.st_size and (more := os.read(descriptor, status.st_size - len(content) + 1)):
            content += more
        if len(content) != status.st_size:
            raise UnsafeMemberError(f"{name} changed while it was read.")
        return content
    finally:
        os.close(descriptor)


class _Member(NamedTuple):
    name: str
    is_folder: bool
    is_link: bool


def _listed(path: str | Path) -> list[_Member] | None:
    """What a folder holds; None where there is no folder. Raises UnreadableError where the system does not say."""
    try:
        with os.scandir(path) as entries:
            return [_Member(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableError(f"{path} cannot be listed: {error.strerror or error}.") from error


def signed_name(request: str, target: str, kind: Kind) -> str:
    """Where the Sigstore bundle of a target lies."""
    return f"requests/{request}/{target}{_suffix(kind)}"


def openings_name(request: str) -> str:
    """Where the openings of a request lie."""
    return f"requests/{request}/{_OPENINGS}"


def model_name(sha256: str) -> str:
    """Where the manifest of a version lies."""
    return f"models/{sha256}.json"


def policy_name(sha256: str) -> str:
    """Where a policy lies."""
    return f"policies/{sha256}.json"


def _suffix(kind: Kind) -> str:
    return f".{kind}.sigstore.json"


def _disclosed(place: str, names: list[str]) -> Disclosed:
    targets: dict[str, list[str]] = {_suffix("evidence"): [], _suffix("closing"): []}
    is_opened = False
    for name in names:
        target, dot, suffix = name.partition(".")
        if name == _OPENINGS:
            is_opened = True
        elif (of_kind := targets.get(f"{dot}{suffix}")) is not None and canonical.is_uuid4(target):
            of_kind.append(target)
        else:
            raise UnexpectedFileError(f"{place}/{name} is none of the files that a disclosed request has.")
    evidence, closings = map(tuple, targets.values())
    return Disclosed(evidence, closings, is_opened)


def _read_top(path: Path, name: str) -> bytes:
    return read_file(path, name, file_limits.max_bytes_of(name))


def _refuse_misplaced(found: list[_Member]) -> None:
    for member in found:
        if member.is_link:
            raise UnsafeMemberError(f"{member.name} is a symbolic link; an export holds none.")
        if member.is_folder == (member.name in _TOP):
            kind = "a file" if member.name in _TOP else "a folder"
            raise UnexpectedFileError(f"{member.name} should be {kind}.")
    strange = sorted({member.name for member in found} - _TOP - _FOLDERS)
    if strange:
        raise UnexpectedFileError(f"Nothing accounts for {', '.join(strange)}.")


def _subfolders(path: Path) -> set[str]:
    members = _listed(path) or []
    for member in members:
        if member.is_link or not member.is_folder:
            raise UnexpectedFileError(f"Nothing accounts for {path.name}/{member.name}.")
    return {member.name for member in members}
