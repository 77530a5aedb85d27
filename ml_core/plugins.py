"""What a method's file and an audit's file are made of: one object each, named after its file.

``method = Method(__name__, ...)`` with one function under ``@method.unlearn``, optionally ``@method.check`` and
``@method.prepare``; or ``audit = Audit(__name__, ...)`` with one function under ``@audit.run``.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from ml_core.contract import (
    ANY_FAMILY,
    Assurance,
    AuditData,
    Card,
    Finding,
    Model,
    Need,
    Run,
    SpecSource,
    UnlearnData,
    UnlearnResult,
)
from ml_core.errors import NotApplicableError, PluginError
from ml_core.hyperparameters import schema

ConfigT = TypeVar("ConfigT")
UnlearnFunction = Callable[[Model, UnlearnData, ConfigT, Run], UnlearnResult]
CheckFunction = Callable[[Model, UnlearnData, ConfigT], list[str]]
PrepareFunction = Callable[[Model, UnlearnData, ConfigT, Run], Mapping[str, Tensor]]
AuditFunction = Callable[[Model, Model, AuditData, ConfigT, Run], Finding]


@dataclass
class Method(Generic[ConfigT]):
    """An unlearning method. exempt: name of a conformance check to the reason why it cannot apply."""

    module: str
    _: KW_ONLY
    version: str
    assurance: Assurance
    families: tuple[str, ...]
    needs: tuple[Need, ...]
    source: SpecSource
    config: type[ConfigT]
    exempt: Mapping[str, str] = field(default_factory=dict)
    unlearn_function: UnlearnFunction[ConfigT] | None = None
    check_function: CheckFunction[ConfigT] | None = None
    prepare_function: PrepareFunction[ConfigT] | None = None
    source_sha256: str = field(init=False)

    def __post_init__(self) -> None:
        self.source_sha256 = _source_sha256(self.module)

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]

    def unlearn(self, function: UnlearnFunction[ConfigT]) -> UnlearnFunction[ConfigT]:
        self.unlearn_function = function
        return function

    def check(self, function: CheckFunction[ConfigT]) -> CheckFunction[ConfigT]:
        self.check_function = function
        return function

    def prepare(self, function: PrepareFunction[ConfigT]) -> PrepareFunction[ConfigT]:
        self.prepare_function = function
        return function

    def reasons_against(self, model: Model, data: UnlearnData, config: ConfigT) -> list[str]:
        """Why the method does not apply here; empty when it does. Cheap, without side effects."""
        if model.family not in self.families and ANY_FAMILY not in self.families:
            return [f"{self.name} works on {list(self.families)}, not on {model.family!r}"]
        if Need.RETAIN_DATA in self.needs and data.retain is None:
            return [f"{self.name} needs the retain records; supply them"]
        return self.check_function(model, data, config) if self.check_function else []

    def apply(self, model: Model, data: UnlearnData, config: ConfigT, run: Run) -> UnlearnResult:
        """Change ``model`` in place. Raises NotApplicableError with every reason, and what the method raises."""
        reasons = self.reasons_against(model, data, config)
        if reasons or self.unlearn_function is None:
            raise NotApplicableError("; ".join(reasons))
        return self.unlearn_function(model, data, config, run)

    def card(self) -> Card:
        return _card(self, "method", self.assurance)


@dataclass
class Audit(Generic[ConfigT]):
    """A verification. exempt: name of a conformance check to the reason why it cannot apply."""

    module: str
    _: KW_ONLY
    version: str
    families: tuple[str, ...]
    needs: tuple[Need, ...]
    source: SpecSource
    config: type[ConfigT]
    exempt: Mapping[str, str] = field(default_factory=dict)
    run_function: AuditFunction[ConfigT] | None = None
    source_sha256: str = field(init=False)

    def __post_init__(self) -> None:
        self.source_sha256 = _source_sha256(self.module)

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]

    def run(self, function: AuditFunction[ConfigT]) -> AuditFunction[ConfigT]:
        self.run_function = function
        return function

    def apply(self, before: Model, after: Model, data: AuditData, config: ConfigT, run: Run) -> Finding:
        """Compare two models, changing neither. Raises NotApplicableError on a family that the audit does not read."""
        if self.run_function is None or not {after.family, ANY_FAMILY} & set(self.families):
            raise NotApplicableError(f"{self.name} reads {list(self.families)}, not {after.family!r}")
        if before.family != after.family:
            raise NotApplicableError(
                f"before is {before.family!r} and after is {after.family!r}; compare like with like"
            )
        return self.run_function(before, after, data, config, run)

    def card(self) -> Card:
        return _card(self, "audit", None)


def section(document: str, heading: str) -> str:
    """Text after ``Heading:`` at the start of a line, up to the next blank line, on one line."""
    found = re.search(rf"^{heading}:(.*?)(?:\n\s*\n|\Z)", inspect.cleandoc(document), re.MULTILINE | re.DOTALL)
    return " ".join(found.group(1).split()) if found else ""


def _source_sha256(module: str) -> str:
    if module not in sys.modules:
        raise PluginError(f"{module!r} is not the module that is being imported; pass __name__")
    # Read while the file is imported: later the file may have been replaced, and other code would be named as run.
    return hashlib.sha256(Path(str(sys.modules[module].__file__)).read_bytes()).hexdigest()


def _card(plugin: Method[Any] | Audit[Any], kind: str, assurance: Assurance | None) -> Card:
    document = inspect.cleandoc(sys.modules[plugin.module].__doc__ or "")
    return Card(
        name=plugin.name,
        kind=kind,
        version=plugin.version,
        assurance=assurance,
        families=plugin.families,
        needs=plugin.needs,
        spec_source=plugin.source,
        summary=document.partition("\n")[0],
        reference=section(document, "Reference"),
        cost=section(document, "Cost"),
        source_sha256=plugin.source_sha256,
        config_schema=schema(plugin.config),
    )
