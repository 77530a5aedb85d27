"""Hyper-parameters: every value outside a range is refused by name, every value inside survives JSON."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_core.errors import ConfigError
from ml_core.hyperparameters import as_mapping, check_ranges, from_mapping, number, schema


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = number(0.5, unit="per step", low=0.0, high=2.0)
    steps: int = number(3, unit="steps", low=1, high=10)

    def __post_init__(self) -> None:
        check_ranges(self)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"rate": -1e-9}, r"rate must lie in \[0.0, 2.0\] per step", id="below"),
        pytest.param({"rate": 2.0000001}, "rate must lie in", id="above"),
        pytest.param({"rate": math.nan}, "rate must lie in", id="not a number"),
        pytest.param({"rate": math.inf}, "rate must lie in", id="infinite"),
        pytest.param({"rate": 10**400}, r"beyond 2\^63", id="whole number too large for a float"),
        pytest.param({"steps": 10**400}, r"beyond 2\^63", id="whole number too large to print"),
        pytest.param({"steps": 0}, "steps must lie in", id="whole number below"),
        pytest.param({"steps": 11}, "found 11", id="whole number above"),
        pytest.param({"steps": 3.0}, "steps must be int, found float", id="float for a whole number"),
        pytest.param({"steps": True}, "steps must be int, found bool", id="truth value for a whole number"),
        pytest.param({"rate": True}, "rate must be float, found bool", id="truth value for a float"),
        pytest.param({"rate": "0.5"}, "rate must be float, found str", id="text"),
        pytest.param({"rate": None}, "rate must be float, found NoneType", id="nothing"),
        pytest.param({"speed": 1.0}, r"unknown hyper-parameters \['speed'\]", id="unknown name"),
    ],
)
def test_it_refuses(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_mapping(Config, values)


def test_a_refusal_names_every_fault() -> None:
    with pytest.raises(ConfigError, match=r"rate must lie.*; steps must lie"):
        Config(rate=3.0, steps=0)


@given(rate=st.floats(0.0, 2.0), steps=st.integers(1, 10))
def test_values_inside_their_range_survive_json(rate: float, steps: int) -> None:
    config = Config(rate=rate, steps=steps)
    assert from_mapping(Config, json.loads(json.dumps(as_mapping(config)))) == config


def test_a_float_written_as_a_whole_number_is_read_as_a_float() -> None:
    config = from_mapping(Config, {"rate": 1})
    assert (config.rate, type(config.rate)) == (1.0, float)


def test_absent_names_take_their_default() -> None:
    assert from_mapping(Config, {}) == Config(rate=0.5, steps=3)


def test_the_schema_has_a_row_for_each() -> None:
    assert schema(Config) == [
        {"name": "rate", "type": "float", "default": 0.5, "unit": "per step", "low": 0.0, "high": 2.0},
        {"name": "steps", "type": "int", "default": 3, "unit": "steps", "low": 1, "high": 10},
    ]
