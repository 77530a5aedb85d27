"""What is checked of a method's and an audit's description: name, headings, hyper-parameters, card."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ml_core.conformance_scene import refusal, require
from ml_core.contract import ANY_FAMILY
from ml_core.errors import ConfigError
from ml_core.hyperparameters import as_mapping, from_mapping, schema
from ml_core.plugins import Audit, Method, section
from ml_core.registry import HEADINGS, Catalogue

Plugin = Method[Any] | Audit[Any]
CardCheck = Callable[[str, Plugin, Catalogue], None]


def name_is_its_file(name: str, plugin: Plugin, catalogue: Catalogue) -> None:
    """Name in the catalogue = name of the plug-in = name of its file."""
    stem = Path(str(sys.modules[plugin.module].__file__)).stem
    require(name == plugin.name == stem, f"listed as {name!r}, called {plugin.name!r}, in the file {stem!r}")


def docstring_has_its_headings(name: str, plugin: Plugin, catalogue: Catalogue) -> None:
    """A summary line, and text under each heading of its kind."""
    document = sys.modules[plugin.module].__doc__ or ""
    require(bool(document.partition("\n")[0].strip()), "its docstring has no summary line")
    missing = [heading for heading in HEADINGS[_kind(plugin)] if not section(document, heading)]
    require(not missing, f"its docstring lacks {missing}")


def config_builds_and_round_trips(name: str, plugin: Plugin, catalogue: Catalogue) -> None:
    """``Config()`` has defaults, is frozen, and survives JSON."""
    config = plugin.config()
    loose = [field.name for field in dataclasses.fields(config) if not _is_frozen(config, field.name)]
    require(not loose, f"{loose} can be set after the config was checked; declare Config frozen")
    stored = json.loads(json.dumps(as_mapping(config), allow_nan=False))
    require(from_mapping(plugin.config, stored) == config, "its Config differs after a round trip through JSON")


def config_refuses_values_out_of_range(name: str, plugin: Plugin, catalogue: Catalogue) -> None:
    """ConfigError for each hyper-parameter below, above, not finite or of another type, and for an unknown one."""
    for row in schema(plugin.config):
        for value in _out_of_range(row):
            build = partial(from_mapping, plugin.config, {row["name"]: value})
            refusal(ConfigError, build, f"{row['name']} = {str(value)[:20]}")
    refusal(ConfigError, partial(from_mapping, plugin.config, {"no_such_hyperparameter": 1}), "an unknown name")


def card_is_complete(name: str, plugin: Plugin, catalogue: Catalogue) -> None:
    """Every part is filled, JSON-able and true; the digest is that of the file."""
    card = plugin.card()
    json.dumps(card.to_dict(), allow_nan=False)
    empty = [part for part in ("version", "families", "summary", "reference", "cost") if not getattr(card, part)]
    require(not empty, f"its card lacks {empty}")
    is_short = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", card.version) is not None
    require(is_short, f"its version is {card.version!r}; ledgers take up to three numbers, such as '1' or '1.0.2'")
    unknown = sorted(set(card.families) - set(catalogue.families) - {ANY_FAMILY})
    require(not unknown, f"it names families that do not exist: {unknown}")
    require((card.assurance is not None) == (card.kind == "method"), "a method states an assurance, an audit does not")
    source = Path(str(sys.modules[plugin.module].__file__)).read_bytes()
    require(card.source_sha256 == hashlib.sha256(source).hexdigest(), "source_sha256 is not the digest of its file")


CARD_CHECKS: tuple[CardCheck, ...] = (
    name_is_its_file,
    docstring_has_its_headings,
    config_builds_and_round_trips,
    config_refuses_values_out_of_range,
    card_is_complete,
)


def families_of(plugin: Plugin, catalogue: Catalogue) -> list[str]:
    """The families on which the plug-in is to be tried: those of the catalogue that it names, or all."""
    return [name for name in sorted(catalogue.families) if {name, ANY_FAMILY} & set(plugin.families)]


def _kind(plugin: Plugin) -> str:
    return "method" if isinstance(plugin, Method) else "audit"


def _is_frozen(config: Any, name: str) -> bool:
    try:
        setattr(config, name, getattr(config, name))
    except dataclasses.FrozenInstanceError:
        return True
    return False


def _out_of_range(row: Mapping[str, Any]) -> list[object]:
    low, high = row["low"], row["high"]
    wrong: list[object] = [None, "1", True, [1]]
    if row["type"] == "int":
        return [*wrong, int(low) - 1, int(high) + 1, 10**400, 0.5]
    beyond = [math.nextafter(low, -math.inf), math.nextafter(high, math.inf), math.nan, math.inf, -math.inf, 10**400]
    return [*wrong, *beyond]
