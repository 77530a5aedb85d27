"""What the controller declares about a data source: where it is, what names a record, which columns name persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.registry.pseudonyms import IDENTIFIER_KINDS
from compliance.sources.errors import DeclarationError

_MEMBERS = {"kind", "location", "schema", "table", "record_columns", "subjects"}
_REQUIRED = {"kind", "location", "record_columns", "subjects"}


@dataclass(frozen=True, kw_only=True)
class SubjectColumn:
    """A column that holds identifiers of persons, all of one kind."""

    column: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class SourceDeclaration:
    """A data source. Raises DeclarationError.

    `kind` names a file in `compliance/sources/kinds`. `location` is a file or glob inside the folder of data sources,
    or what the kind says. Several `record_columns` name a record together; with none, rows have numbers only.
    """

    kind: str
    location: str
    record_columns: tuple[str, ...]
    subjects: tuple[SubjectColumn, ...]
    table: str = ""
    schema: str = ""

    def __post_init__(self) -> None:
        subject_columns = [subject.column for subject in self.subjects]
        columns = [*self.record_columns, *subject_columns]
        if not self.subjects:
            raise DeclarationError("A data source needs at least one column that names persons; none is declared.")
        if set(self.record_columns) & set(subject_columns):
            raise DeclarationError("A record is not named by a column of persons: its id is stored in clear.")
        if len(set(columns)) != len(columns):
            raise DeclarationError("Each column is declared once; found one twice.")
        if not all(_is_name(text) for text in (*columns, self.location)):
            raise DeclarationError("Columns and location are texts of at least one character, without NUL.")
        unknown = [subject.column for subject in self.subjects if subject.kind not in IDENTIFIER_KINDS]
        if unknown:
            raise DeclarationError(
                f"Column {unknown[0]!r}: the kind of identifier must be one of {', '.join(IDENTIFIER_KINDS)}."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Record columns, then subject columns."""
        return (*self.record_columns, *(subject.column for subject in self.subjects))

    def to_dict(self) -> dict[str, Any]:
        """As `DataSource.declaration` stores it, and as declaration files spell it."""
        return {
            "kind": self.kind,
            "location": self.location,
            "schema": self.schema,
            "table": self.table,
            "record_columns": list(self.record_columns),
            "subjects": {subject.column: subject.kind for subject in self.subjects},
        }

    @classmethod
    def from_dict(cls, document: Any) -> SourceDeclaration:
        """The inverse of `to_dict`; `schema` and `table` may be left out. Raises DeclarationError."""
        if not isinstance(document, Mapping) or not document.keys() >= _REQUIRED or document.keys() - _MEMBERS:
            raise DeclarationError(
                f"A declaration has the members {', '.join(sorted(_REQUIRED))}, for tables also schema and table, and "
                "no others."
            )
        texts = {name: document.get(name, "") for name in ("kind", "location", "schema", "table")}
        records, subjects = document["record_columns"], document["subjects"]
        if not all(isinstance(text, str) for text in texts.values()) or not _is_texts(records):
            raise DeclarationError("kind, location, schema and table are texts, record_columns is a list of texts.")
        if not isinstance(subjects, Mapping) or not _is_texts([*subjects, *subjects.values()]):
            raise DeclarationError('subjects names columns with their kinds, such as {"address": "email"}.')
        return cls(
            **texts,
            record_columns=tuple(records),
            subjects=tuple(SubjectColumn(column=column, kind=kind) for column, kind in subjects.items()),
        )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_name(text: str) -> bool:
    return bool(text) and "\0" not in text
