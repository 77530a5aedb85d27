"""The kinds of messages: each is a file in kinds/, found by walking the folder; its name is its identity.

A kind defines `render`, and may define the others of `Kind`. What it renders, it makes from rows: the engine keeps no
body. Its hooks run inside the transaction that records the result, once; network and waiting have no place in them.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from compliance.outbound import kinds
from compliance.outbound.errors import KindError
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery


def _nothing(delivery: Delivery) -> None:
    """Nothing."""


def _yes(delivery: Delivery) -> bool:
    """Always."""
    return True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file in kinds/ defines.

    `render` makes the message of a try: the same words in each, with what must be fresh (a time, a signature) made
    anew. `is_wanted` is asked before each try; False ends the delivery without an alarm. `on_delivered` and
    `on_gave_up` run when it ends.
    """

    name: str
    render: Callable[[Delivery], Message]
    is_wanted: Callable[[Delivery], bool]
    on_delivered: Callable[[Delivery], None]
    on_gave_up: Callable[[Delivery], None]


@cache
def discover() -> dict[str, Kind]:
    """Every kind by its name; raises KindError for a file that breaks the contract."""
    names = sorted(entry.name for entry in pkgutil.iter_modules([str(Path(kinds.__file__).parent)]))
    return {name: kind_of(name, importlib.import_module(f"{kinds.__name__}.{name}")) for name in names}


def find(name: str) -> Kind:
    """The kind of this name; raises KindError."""
    found = discover().get(name)
    if found is None:
        raise KindError(f"Expected one of {', '.join(discover())}, found the kind {name!r}. Is its file missing?")
    return found


def kind_of(name: str, module: ModuleType) -> Kind:
    """The kind that a module defines; raises KindError."""
    defaults = {"render": None, "is_wanted": _yes, "on_delivered": _nothing, "on_gave_up": _nothing}
    found: dict[str, Any] = {part: getattr(module, part, default) for part, default in defaults.items()}
    for part, function in found.items():
        if not callable(function):
            raise KindError(f"{name}: expected a function {part}(delivery), found none. See catalogue.Kind.")
    return Kind(name=name, **found)
