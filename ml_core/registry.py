"""The catalogue: every plug-in, found by walking folders and listed nowhere.

``discover`` refuses the whole catalogue when one file breaks the contract, so nothing is ever half registered.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from ml_core.contract import Card, Family, Model
from ml_core.errors import NotApplicableError, PluginError
from ml_core.plugins import Audit, Method, section

HEADINGS = {
    "method": ("Reference", "Idea", "Assurance", "Cost", "Fails when", "Differs from the paper"),
    "audit": (
        *("Reference", "Null hypothesis", "Statistic", "A pass means", "A pass does not mean"),
        *("Smallest n", "Fooled by", "Cost"),
    ),
    "family": (),
}
FOLDERS = {"method": "methods", "audit": "audits", "family": "families"}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything discovered, by name."""

    methods: Mapping[str, Method[Any]]
    audits: Mapping[str, Audit[Any]]
    families: Mapping[str, Family]

    def cards(self) -> list[Card]:
        """Cards of all methods and audits, by kind and name."""
        plugins: list[Method[Any] | Audit[Any]] = [*self.methods.values(), *self.audits.values()]
        return [plugin.card() for plugin in plugins]


def discover(extra_folders: Sequence[Path] = ()) -> Catalogue:
    """Import every plug-in of ml_core and of folders laid out alike. Raises PluginError naming the first bad file."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in FOLDERS}
    for kind, module in _modules(extra_folders):
        name, plugin = module.__name__.rpartition(".")[2], _plugin(kind, module)
        if any(name in plugins for plugins in found.values()):
            raise PluginError(f"{module.__file__}: the name {name!r} is taken; a name is an identity, choose another")
        found[kind][name] = plugin
    return Catalogue(methods=found["method"], audits=found["audit"], families=found["family"])


def family_of(model: Model) -> Family:
    """The family in whose file the model's class is defined. Raises NotApplicableError when there is none."""
    file = type(model).__module__
    family = getattr(sys.modules[file], "family", None)
    # A file that merely imports a family is not that family's.
    if family is None or type(family).__module__ != file or family.name != model.family:
        raise NotApplicableError(f"{type(model).__name__} is not defined in the file of its family {model.family!r}")
    return cast(Family, family)


def _modules(extra_folders: Sequence[Path]) -> Iterator[tuple[str, ModuleType]]:
    for root in (Path(__file__).parent, *extra_folders):
        if not root.is_dir():
            raise PluginError(f"{root}: no such folder of plug-ins")
        for kind, folder in FOLDERS.items():
            for entry in sorted(pkgutil.iter_modules([str(root / folder)]), key=lambda entry: entry.name):
                path = root / folder / f"{entry.name}.py"
                if entry.ispkg or not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", entry.name):
                    raise PluginError(
                        f"{path.with_suffix('')}: a plug-in is one file with a lower_snake name of up to 32 characters"
                    )
                yield kind, _import(root, folder, path)


def _import(root: Path, folder: str, path: Path) -> ModuleType:
    try:
        if root == Path(__file__).parent:
            return importlib.import_module(f"ml_core.{folder}.{path.stem}")
        name = f"ml_core_extra_{hashlib.sha256(str(root).encode()).hexdigest()[:16]}.{folder}.{path.stem}"
        return sys.modules[name] if name in sys.modules else _import_file(name, path)
    except Exception as error:  # any fault of a plug-in's file must name that file
        raise PluginError(f"{path}: importing it failed: {type(error).__name__}: {error}") from error


def _import_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python source file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # as the import statement does: a half-run file is not a module
        raise
    return module


def _plugin(kind: str, module: ModuleType) -> Any:
    plugin, stem = getattr(module, kind, None), module.__name__.rpartition(".")[2]
    wanted = {"method": Method, "audit": Audit}.get(kind)
    if plugin is None or (wanted is not None and not isinstance(plugin, wanted)):
        raise PluginError(
            f"{module.__file__}: expected a module-level {kind!r} made by its constructor, found {plugin!r}"
        )
    name = getattr(plugin, "name", None)
    if name != stem:
        raise PluginError(f"{module.__file__}: its {kind} is called {name!r}; a name is the file's, {stem!r}")
    if wanted is not None and (plugin.unlearn_function if kind == "method" else plugin.run_function) is None:
        raise PluginError(
            f"{module.__file__}: nothing is decorated with @{kind}.{'unlearn' if kind == 'method' else 'run'}"
        )
    missing = [heading for heading in HEADINGS[kind] if not section(module.__doc__ or "", heading)]
    if missing:
        raise PluginError(f"{module.__file__}: its docstring lacks the headings {missing} or their text")
    return plugin
