"""Hyper-parameters as data: a default, a unit and a range beside each field of a ``Config``.

A ``Config`` is a frozen keyword-only dataclass whose fields are declared with ``number`` and
whose ``__post_init__`` calls ``check_ranges``. From that alone come validation, the JSON round trip and the
schema that a catalogue publishes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from ml_core.errors import ConfigError

ConfigT = TypeVar("ConfigT")


def number(default: float, *, unit: str, low: float, high: float) -> Any:
    """A dataclass field holding an int or a float (the type of ``default``) in [low, high], bounds included."""
    return dataclasses.field(default=default, metadata={"unit": unit, "low": low, "high": high})


def check_ranges(config: Any) -> None:
    """Raise ConfigError naming every field of ``config`` that is of the wrong type, not finite or out of range."""
    problems = [problem for field in dataclasses.fields(config) if (problem := _problem(config, field))]
    if problems:
        raise ConfigError(f"{type(config).__module__}: " + "; ".join(problems))


def _problem(config: Any, field: dataclasses.Field[Any]) -> str:
    value: Any = getattr(config, field.name)
    expected: Any = type(field.default)
    low, high = field.metadata["low"], field.metadata["high"]
    if type(value) is not expected and not (expected is float and type(value) is int):
        return f"{field.name} must be {expected.__name__}, found {type(value).__name__}"
    # Before any conversion: whole numbers of JSON have no limit, those of a float do.
    is_finite = type(value) is int or math.isfinite(value)
    if not is_finite or not low <= value <= high:
        found = repr(value) if not is_finite or abs(value) < 2**63 else "a number beyond 2^63"
        return f"{field.name} must lie in [{low}, {high}] {field.metadata['unit']}, found {found}"
    object.__setattr__(config, field.name, expected(value))  # JSON writes 1.0 as 1
    return ""


def as_mapping(config: Any) -> dict[str, int | float]:
    """The values of ``config`` as a JSON-able mapping, in order of declaration."""
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def from_mapping(config_class: type[ConfigT], values: Mapping[str, object]) -> ConfigT:
    """Build a config from JSON values; absent names take their default, unknown names raise ConfigError."""
    known = [field.name for field in dataclasses.fields(cast(Any, config_class))]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"unknown hyper-parameters {unknown}; this plug-in has {known}")
    return config_class(**values)


def schema(config_class: type[Any]) -> list[dict[str, Any]]:
    """One row per hyper-parameter: name, type, default, unit, low, high."""
    return [
        {
            "name": field.name,
            "type": type(field.default).__name__,
            "default": field.default,
            "unit": field.metadata["unit"],
            "low": field.metadata["low"],
            "high": field.metadata["high"],
        }
        for field in dataclasses.fields(config_class)
    ]
