"""The ways to prove an identity: each is a file in methods/, found by walking the folder; nothing lists them."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType

from compliance.evidence.leaf import WORDS
from compliance.identity import methods
from compliance.identity.errors import MethodError, NotOfferedError
from compliance.identity.method import LEVELS, Method
from compliance.ledger.actors import Role


@cache
def installed() -> Mapping[str, Method]:
    """Every method by name; raises MethodError for a file that breaks the contract."""
    names = sorted(module.name for module in pkgutil.iter_modules(methods.__path__))
    return {name: method_of(name, importlib.import_module(f"{methods.__name__}.{name}")) for name in names}


def named(name: str) -> Method:
    """The method of this name; raises MethodError, and NotOfferedError where this installation is not set up for it."""
    method = installed().get(name)
    if method is None:
        raise MethodError(f"Expected one of {', '.join(installed())}, found the method {name!r}. Is its file missing?")
    if not method.is_offered():
        raise NotOfferedError(
            f"This installation is not set up for the identity method {name!r}. See docs/identity.md."
        )
    return method


def open_to(role: Role, level: int) -> list[Method]:
    """The methods by which this role can reach this level here, those that ask for least first."""
    reaching = (method for method in installed().values() if method.level >= level and role in method.roles)
    return sorted((method for method in reaching if method.is_offered()), key=lambda method: method.level)


def method_of(name: str, module: ModuleType) -> Method:
    """The method that a module defines; raises MethodError."""
    method = getattr(module, "method", None)
    if not isinstance(method, Method) or method.name != name:
        raise MethodError(f"{name}.py: expected `method = Method(__name__, …)`, found none.")
    if name not in WORDS["identity method"]:
        raise MethodError(f"{name}.py: the ledger has no such word. Add it to WORDS in compliance/evidence/leaf.py.")
    if method.level not in LEVELS or not method.roles:
        raise MethodError(f"{name}.py: expected a level of {LEVELS} and at least one role.")
    return method
