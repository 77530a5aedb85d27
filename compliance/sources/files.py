"""Files of a data source: only those inside the folder of data sources, links followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from compliance.sources.errors import OutsideFolderError, UnreadableSourceError

_GLOB = re.compile(r"[*?\[]")


def inside(folder: Path, location: str) -> list[Path]:
    """The file at `location`, or those that match it as a glob, sorted. Raises OutsideFolderError, UnreadableSourceError."""
    root = folder.resolve()
    if ".." in PurePath(location).parts:
        raise OutsideFolderError(f"{location}: a location does not lead upwards (..).")
    if not PurePath(root, location).is_relative_to(root):
        raise _outside(location, root)
    relative = str(PurePath(root, location).relative_to(root))
    literal = root / relative
    found = sorted(root.glob(relative)) if _GLOB.search(relative) and not literal.exists() else [literal]
    files = [path.resolve() for path in found]
    for path in files:
        if not path.is_relative_to(root):
            raise _outside(location, root)
        if not path.is_file():
            raise UnreadableSourceError(f"{location}: there is no such file in {root}.")
    if not files:
        raise UnreadableSourceError(f"{location}: no file in {root} matches.")
    return files


def one(folder: Path, location: str) -> Path:
    """The one file at `location`. Raises OutsideFolderError, UnreadableSourceError."""
    found = inside(folder, location)
    if len(found) > 1:
        raise UnreadableSourceError(f"{location}: expected one file, found {len(found)}.")
    return found[0]


def lines(path: Path) -> Iterator[bytes]:
    """Each line of a file, as it is. Raises UnreadableSourceError."""
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise UnreadableSourceError(f"{path.name}: the file cannot be read ({error.strerror}).") from error


def csv_records(path: Path) -> Iterator[bytes]:
    """Each record of a CSV file, as it is: line breaks between quotes do not end one (RFC 4180, section 2)."""
    pending: list[bytes] = []
    n_quotes = 0
    for line in lines(path):
        pending.append(line)
        n_quotes += line.count(b'"')
        if n_quotes % 2 == 0:
            yield b"".join(pending)
            pending, n_quotes = [], 0
    if pending:
        yield b"".join(pending)


def _outside(location: str, root: Path) -> OutsideFolderError:
    return OutsideFolderError(
        f"{location}: data sources are read inside {root} alone. Move it there, or set EXPUNGE_SOURCES_DIR."
    )
