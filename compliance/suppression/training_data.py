"""Records of people who were erased, found in a file of training data; and a copy of the file without them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from compliance.registry.pseudonyms import IDENTIFIER_KINDS, canonical_identifier, pseudonym_of
from compliance.sources import plugins, reading
from compliance.sources.declaration import SourceDeclaration
from compliance.sources.errors import DeclarationError, MalformedRowError, UnreadableSourceError
from compliance.sources.reading import Row
from compliance.suppression.tokens import BATCH_ROWS, suppressed_among


@dataclass(frozen=True, kw_only=True)
class Check:
    """How many rows there are, and the numbers (from 1) and names of those about somebody who was erased."""

    n_rows: int
    rows: dict[int, str]


def check(source: SourceDeclaration, *, folder: Path) -> Check:
    """Read the source once, a batch at a time. Raises SourceError."""
    n_rows, found = 0, {}
    rows = reading.rows(source, folder=folder)
    while batch := list(islice(rows, BATCH_ROWS)):
        n_rows += len(batch)
        found.update({row.number: _name(row) for row in _erased(batch)})
    return Check(n_rows=n_rows, rows=found)


def write_clean(source: SourceDeclaration, found: Check, *, path: Path, out: Path) -> None:
    """`path` without the rows that were found. It appears whole, and only once a second check finds nobody in it.

    Raises SourceError; then `out` is as it was.
    """
    copy_without = plugins.named(source.kind).copy_without
    if copy_without is None:
        raise DeclarationError(f"A source of the kind {source.kind} is no file that could be copied.")
    try:
        if out.exists() and out.samefile(path):
            raise DeclarationError(f"{out}: the checked file is never overwritten. Choose another name.")
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=".", suffix=path.suffix)
    except OSError as error:
        raise UnreadableSourceError(f"{out}: it cannot be written ({error.strerror}).") from error
    os.close(descriptor)
    draft = Path(name).resolve()
    try:
        copy_without(path, draft, found.rows.keys())
        _refuse_other_rows(source, found, draft)
        _put_in_place(draft, path, out)
    finally:
        draft.unlink(missing_ok=True)


def _erased(batch: list[Row]) -> Iterator[Row]:
    pseudonyms = {row: {pseudonym_of(*person) for person in row.persons} for row in batch}
    suppressed = suppressed_among(set().union(*pseudonyms.values()))
    return (row for row in batch if pseudonyms[row] & suppressed)


def _name(row: Row) -> str:
    """The record id, unless it is an identifier of a person itself."""
    for kind in IDENTIFIER_KINDS:
        try:
            canonical_identifier(kind, row.record_id)
        except ValueError:
            continue
        return ""
    return row.record_id


def _refuse_other_rows(source: SourceDeclaration, found: Check, draft: Path) -> None:
    declaration = SourceDeclaration(
        kind=source.kind, location=draft.name, record_columns=source.record_columns, subjects=source.subjects
    )
    again = check(declaration, folder=draft.parent)
    if again.rows or again.n_rows != found.n_rows - len(found.rows):
        raise MalformedRowError(
            f"The copy has {again.n_rows} rows where {found.n_rows - len(found.rows)} were expected, {len(again.rows)} "
            "of them about people who were erased. It was thrown away: was the file changed meanwhile?"
        )


def _put_in_place(draft: Path, path: Path, out: Path) -> None:
    try:
        shutil.copymode(path, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(out)
        folder = os.open(out.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnreadableSourceError(f"{out}: it cannot be written ({error.strerror}).") from error
