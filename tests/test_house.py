"""The rules of the house, measured: sizes, names, types, and what no module may do. A failure names the offenders."""

import ast
import fnmatch
import functools
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.ROOT
PRODUCT = ("compliance", "ml_core", "workers")
N_LINES_FILE = 600
N_LINES_FUNCTION = 80
N_LINES_USUAL_FUNCTION = 45
MEANINGLESS_NAMES = {"utils", "helpers", "common", "base", "manager", "misc"}
PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
HEAVY = {"torch", "transformers", "peft", "safetensors", "numpy", "scipy", "sklearn", "accelerate"}
EVIDENCE_NEEDS = {"cryptography", "securesystemslib"}
# Folders of one machine, spelled so that this file does not hold them itself.
MACHINE_PATHS = [
    f"/{name}/" for name in ("work", "root", "home/[a-z]+", "farm", "opt/pypi", "opt/wheels", "etc/xdg/pip")
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A parsed file of ours; `path` is relative to the project."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def at(self, node: ast.stmt | ast.expr) -> str:
        """Where something stands, as editors understand it."""
        return f"{self.path}:{node.lineno}"


@functools.cache
def files() -> list[Path]:
    """Every file of the project, relative to it; what .gitignore names is none of ours."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.strip()] + [".git"]
    found = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if not _matches(name, ignored)]
        found += [Path(folder, name).relative_to(ROOT) for name in names if not _matches(name, ignored)]
    return sorted(found)


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


@functools.cache
def modules(*folders: str) -> list[Module]:
    """Every Python file in these first-level folders, migrations excluded."""
    chosen = [
        path for path in files() if path.suffix == ".py" and path.parts[0] in folders and "migrations" not in path.parts
    ]
    return [Module(path, text := (ROOT / path).read_text(), ast.parse(text)) for path in chosen]


def n_lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def imported(module: Module, *, at_import_time: bool = False) -> Iterator[tuple[ast.stmt, str]]:
    """Each import statement with the full name it imports; relative ones stay inside and are left out."""
    nodes = _run_at_import(module.tree) if at_import_time else ast.walk(module.tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node, node.module


def _run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, Function | ast.Lambda):
            yield node
            yield from _run_at_import(node)


def test_the_files_are_found() -> None:
    """The other tests would pass on an empty list."""
    assert {module.path.parts[0] for module in modules(*PRODUCT, "tests")} == {*PRODUCT, "tests"}
    assert len(files()) > 100


def test_no_file_is_too_long() -> None:
    sizes = {str(module.path): module.text.count("\n") for module in modules(*PRODUCT, "tests")}

    assert {path: n for path, n in sizes.items() if n > N_LINES_FILE} == {}


def test_no_function_is_too_long() -> None:
    sizes = _function_sizes()

    assert {place: n for place, n in sizes.items() if n > N_LINES_FUNCTION} == {}


def test_nine_in_ten_functions_are_short() -> None:
    sizes = _function_sizes()
    long = {place: n for place, n in sizes.items() if n >= N_LINES_USUAL_FUNCTION}

    assert len(long) * 10 <= len(sizes), long


def _function_sizes() -> dict[str, int]:
    return {
        f"{module.at(function)} {function.name}": n_lines(function)
        for module in modules(*PRODUCT, "tests")
        for function in module.functions
    }


def test_every_file_name_says_something() -> None:
    assert [path for path in files() if path.stem.lower() in MEANINGLESS_NAMES] == []


def test_every_function_is_annotated() -> None:
    unannotated = [
        f"{module.at(function)} {function.name}"
        for module in modules(*PRODUCT, "tests")
        for function in module.functions
        if not _is_annotated(function)
    ]

    assert unannotated == []


def _is_annotated(function: Function) -> bool:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    named += [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    returns = function.returns is not None or (function.name == "__init__" and bool(named))
    return returns and all(argument.annotation is not None for argument in named)


def test_no_module_can_load_a_pickle() -> None:
    imports = [
        f"{module.at(node)} {name}"
        for module in modules(*PRODUCT)
        for node, name in imported(module)
        if name.split(".")[0] in PICKLES
    ]
    calls = [
        module.at(node)
        for module in modules(*PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _may_unpickle(node)
    ]

    assert imports + calls == []


def _may_unpickle(call: ast.Call) -> bool:
    safe = any(keyword.arg == "allow_pickle" and ast.unparse(keyword.value) == "False" for keyword in call.keywords)
    return ast.unparse(call.func) in {"torch.load", "np.load", "numpy.load"} and not safe


def test_compliance_names_workers_in_its_settings_alone() -> None:
    """import-linter sees imports, not dotted paths in strings."""
    naming = [
        module.at(node)
        for module in modules("compliance")
        if module.path.name != "settings.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\bworkers\.\w", node.value)
    ]

    assert naming == []


def test_compliance_starts_without_machine_learning() -> None:
    heavy = [
        f"{module.at(node)} {name}"
        for module in modules("compliance")
        for node, name in imported(module, at_import_time=True)
        if name.split(".")[0] in HEAVY
    ]

    assert heavy == []


def test_evidence_needs_two_packages_and_verifying_one_of_them() -> None:
    """What an auditor has to install, and so has to trust."""
    needed = {
        name.split(".")[0]
        for module in modules("compliance")
        if "evidence" in module.path.parts
        for _, name in imported(module)
        if not name.startswith("compliance.evidence")
    }

    assert needed - sys.stdlib_module_names - {"compliance"} == EVIDENCE_NEEDS


def test_a_state_is_written_in_one_file() -> None:
    writers = {
        module.at(node)
        for module in modules("compliance", "workers")
        if module.path != Path("compliance/requests/transitions.py")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.expr | ast.stmt) and _writes_state(node)
    }

    assert writers == set()


def _writes_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(_is_state(target) for target in node.targets)
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return _is_state(node.target)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        writes = node.func.attr in {"update", "create", "get_or_create", "update_or_create"}
        return writes and any(keyword.arg == "state" for keyword in node.keywords)
    return False


def _is_state(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "state"


def test_no_file_speaks_of_one_machine() -> None:
    pattern = re.compile("|".join(MACHINE_PATHS))
    speaking = []
    for path in files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        speaking += [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]

    assert speaking == []


def test_the_pins_of_pyproject_are_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {_normal(pin) for pin in [*project["dependencies"], *project["optional-dependencies"]["dev"]]}
    given = {_normal(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")}

    assert wanted - given == set()
    assert [pin for pin in given if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", pin)] == []


def _normal(pin: str) -> str:
    """The pin without extras, its name as package indexes spell it (PEP 503)."""
    name, _, version = re.sub(r"\[.*?\]", "", pin).partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"


def test_the_manual_lists_every_environment_variable() -> None:
    _, _, table = (ROOT / "docs" / "operate.md").read_text().partition("## Environment variables")
    manual = re.findall(r"^\| `([A-Z_]+)`", table, flags=re.MULTILINE)

    assert sorted(manual) == sorted(_environment_variables())


def _environment_variables() -> set[str]:
    """The names that settings.py reads."""
    (module,) = [module for module in modules("compliance") if module.path == Path("compliance/settings.py")]
    readers = {
        "env_bool",
        "env_int",
        "env_secret",
        "env_key",
        "env_required",
        "env_matching",
        "env_path",
        "env_addresses",
        "os.environ.get",
    }
    return {
        str(node.args[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in readers and isinstance(node.args[0], ast.Constant)
    }
