"""Kinds of key services: one file each in `compliance/vault/kinds`, whose name is the scheme of its URIs; nothing lists
them.

Each file has a `kind = ServiceKind(__name__, form=…, open_key=…)`.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass

from compliance.vault import kinds
from compliance.vault.errors import KeyRingError
from compliance.vault.wrapping import KeyWrapper, id_of_uri


@dataclass(frozen=True)
class ServiceKind:
    """One kind. `form` shows how a URI of it is written. `open_key` is given the key's id and what follows the scheme;
    it asks nobody, and raises KeyRingError for a place of another form or a missing package."""

    module: str
    _: KW_ONLY
    form: str
    open_key: Callable[[str, str], KeyWrapper]

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]


@functools.cache
def installed() -> Mapping[str, ServiceKind]:
    """Every kind by name; raises KeyRingError for a file that does not hold one."""
    found = {}
    for module in pkgutil.iter_modules(kinds.__path__):
        kind = getattr(importlib.import_module(f"{kinds.__name__}.{module.name}"), "kind", None)
        if not isinstance(kind, ServiceKind) or kind.name != module.name:
            raise KeyRingError(f"{module.name}.py: expected `kind = ServiceKind(__name__, …)`, found none.")
        found[module.name] = kind
    return found


def open_uri(uri: str) -> KeyWrapper:
    """The key behind a URI; raises KeyRingError. Nobody is asked yet."""
    scheme, _, place = uri.partition(":")
    kind = installed().get(scheme)
    if kind is None or not place:
        forms = ", ".join(each.form for each in installed().values())
        raise KeyRingError(f"Expected the URI of a key service ({forms}), found one of the scheme {scheme!r}.")
    return kind.open_key(id_of_uri(uri), place)
