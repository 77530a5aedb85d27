"""Kinds of data sources: one file each in `compliance/sources/kinds`, whose name is the kind's; nothing lists them.

Each file has a `kind = SourceKind(__name__, …)`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from compliance.sources import kinds
from compliance.sources.declaration import SourceDeclaration
from compliance.sources.errors import DeclarationError

#: The values of one row as text, in the order of the columns that were asked for.
Values = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Rows of no interest may be left out: those where none of these columns can be a spelling of `value`.

    `value` is canonical. SQL is asked about printable ASCII alone, whose canonical spelling is the text stripped, in lower
    case, by `lower` and `trim` of every engine as by Python's; any other value is left to Python. So nothing is missed.
    """

    columns: tuple[str, ...]
    value: str


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One reading of a source: which columns, in the folder of data sources, all rows or those that may be wanted."""

    source: SourceDeclaration
    folder: Path
    wanted: Wanted | None = None
    columns: tuple[str, ...]


Rows = Callable[[Scan], Iterator[Values]]
CopyWithout = Callable[[Path, Path, AbstractSet[int]], None]


@dataclass(frozen=True)
class SourceKind:
    """How one kind is read; for files also how one is copied without some rows (numbered from 1).

    `rows` streams, in the order of the source, and raises SourceError.
    """

    module: str
    _: KW_ONLY
    rows: Rows
    suffixes: Sequence[str] = ()
    copy_without: CopyWithout | None = None

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]


@functools.cache
def installed() -> Mapping[str, SourceKind]:
    """Every kind by name. Raises DeclarationError for a file that does not hold one of its own name."""
    found = {}
    for module in pkgutil.iter_modules(kinds.__path__):
        kind = getattr(importlib.import_module(f"{kinds.__name__}.{module.name}"), "kind", None)
        if not isinstance(kind, SourceKind) or kind.name != module.name:
            raise DeclarationError(f"{module.name}.py: expected `kind = SourceKind(__name__, …)`, found none.")
        found[module.name] = kind
    return found


def named(name: str) -> SourceKind:
    """The kind of this name; raises DeclarationError."""
    if name not in installed():
        raise DeclarationError(f"There is no kind of data source {name!r}; expected one of {', '.join(installed())}.")
    return installed()[name]


def of_file(path: Path) -> SourceKind:
    """The kind whose suffix the file has; raises DeclarationError."""
    for kind in installed().values():
        if path.suffix.lower() in kind.suffixes:
            return kind
    known = ", ".join(suffix for kind in installed().values() for suffix in kind.suffixes)
    raise DeclarationError(f"{path.name}: the suffix must be one of {known}; or name the kind of file.")
