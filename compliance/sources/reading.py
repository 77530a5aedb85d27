"""Finding a person in a data source, and the pseudonyms behind its records. Nothing is held but a batch of rows.

Values are compared as identifiers are everywhere: by their canonical spelling. What has none is an error wherever a
source is read as a whole, since a person could hide behind it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from compliance.registry.pseudonyms import LOWER_CASE_KINDS, canonical_identifier, pseudonym_of
from compliance.sources import plugins
from compliance.sources.declaration import SourceDeclaration
from compliance.sources.errors import DeclarationError, MalformedRowError
from compliance.sources.plugins import Scan, Values, Wanted

# Rows of one person often follow each other; a cache of this size is no copy of the source.
_N_REMEMBERED = 4096


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row by its number (from 1), its record id ("" without record columns), and (kind, canonical value) of persons."""

    number: int
    record_id: str
    persons: frozenset[tuple[str, str]]


def records_of(source: SourceDeclaration, kind: str, value: str, *, folder: Path | None = None) -> list[str]:
    """The ids of the records that are about the person, each once, in the order of the source.

    Empty when the source has no column of this kind. `value` may be any spelling of the person's identifier. Raises
    SourceError, also where it has no canonical one.
    """
    columns = tuple(subject.column for subject in source.subjects if subject.kind == kind)
    _refuse_without_ids(source)
    if not columns:
        return []
    # What the vault sealed may have the spelling of an earlier version.
    canonical_value = _spelled(kind, value)
    if canonical_value is None:
        raise DeclarationError(f"The person's identifier is no {kind} that could be compared with those of the source.")
    wanted = Wanted(columns=columns, value=canonical_value) if kind in LOWER_CASE_KINDS else None
    scan = Scan(
        source=source, folder=folder or settings.SOURCES_DIR, columns=(*source.record_columns, *columns), wanted=wanted
    )
    n_ids = len(source.record_columns)
    found = {
        _record_id(values[:n_ids], source): None
        for values in plugins.named(source.kind).rows(scan)
        if any(found is not None and _spelled(kind, found) == canonical_value for found in values[n_ids:])
    }
    return list(found)


def pseudonyms(source: SourceDeclaration, *, folder: Path | None = None) -> Iterator[tuple[str, frozenset[str]]]:
    """Each record's id with the pseudonyms of its persons (none for a record without any). Raises SourceError."""
    _refuse_without_ids(source)
    remembered = functools.lru_cache(_N_REMEMBERED)(pseudonym_of)
    for row in rows(source, folder=folder):
        yield row.record_id, frozenset(remembered(kind, value) for kind, value in row.persons)


def rows(source: SourceDeclaration, *, folder: Path | None = None) -> Iterator[Row]:
    """Every row of the source. Raises SourceError, also for a value that has no canonical spelling."""
    scan = Scan(source=source, folder=folder or settings.SOURCES_DIR, columns=source.columns)
    canonical = functools.lru_cache(_N_REMEMBERED)(canonical_identifier)
    n_ids = len(source.record_columns)
    for number, values in enumerate(plugins.named(source.kind).rows(scan), 1):
        persons = set()
        for subject, value in zip(source.subjects, values[n_ids:], strict=True):
            if value is None or not value.strip():
                continue
            try:
                persons.add((subject.kind, canonical(subject.kind, value)))
            except ValueError:
                raise MalformedRowError(
                    f"Row {number}: column {subject.column!r} holds something that is no {subject.kind} and cannot be "
                    "compared with a person's. Correct it, or empty it where it names nobody."
                ) from None
        record_id = _record_id(values[:n_ids], source, number)
        yield Row(number=number, record_id=record_id, persons=frozenset(persons))


def _spelled(kind: str, value: str) -> str | None:
    try:
        return canonical_identifier(kind, value)
    except ValueError:
        return None


def _record_id(values: Values, source: SourceDeclaration, number: int | None = None) -> str:
    ids = [value for value in values if value]
    if len(ids) != len(values):
        where = "A row" if number is None else f"Row {number}"
        raise MalformedRowError(f"{where} has no record id in {', '.join(map(repr, source.record_columns))}.")
    if len(ids) > 1:
        return json.dumps(ids, ensure_ascii=False)
    return ids[0] if ids else ""


def _refuse_without_ids(source: SourceDeclaration) -> None:
    if not source.record_columns:
        raise DeclarationError("record_columns is empty: name the column, or columns, that identify a record.")
