"""Plug-ins as source text: an honest one of each kind, and ways to break it.

An honest method passes its work to ``acu``, an honest audit to ``mia_loss``; an honest family is the file of the
analytic classifier under another name. Each is written into a folder of its own and found there like any other.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_core.families import analytic_classifier

_METHOD = '''"""A method for tests.

Reference: none.

Idea: let another method do it.

Assurance: that of the other.

Cost: that of the other.

Fails when: the other fails.

Differs from the paper: there is none.
"""

import dataclasses
import os

import torch

from ml_core import errors
from ml_core.contract import ANY_FAMILY, Assurance, SpecSource, UnlearnResult
from ml_core.hyperparameters import check_ranges, number
from ml_core.methods import acu
from ml_core.plugins import Method


{config}


method = Method(
    {module},
    version="{version}",
    assurance=Assurance.{assurance},
    families={families},
    needs=(),
    source=SpecSource.INTERPRETATION,
    config=Config,
    exempt={exempt},
)


def honest(model, data, run):
    return acu.method.apply(model, data, acu.Config(), run)


def nothing_done(data):
    return UnlearnResult(
        touched=(), n_steps=0, n_forget_seen=len(data.forget), n_retain_seen=0, guarantee_terms=dict()
    )


def noise():
    return int.from_bytes(os.urandom(8)) / 2**64


@method.unlearn
def unlearn(model, data, config, run):
    {body}
'''

_AUDIT = '''"""An audit for tests.

Reference: none.

Null hypothesis: that of another audit.

Statistic: that of the other.

A pass means: what it means there.

A pass does not mean: what it does not mean there.

Smallest n: ten records.

Fooled by: what fools the other.

Cost: that of the other.
"""

import dataclasses
import os

import torch

from ml_core.audits import mia_loss
from ml_core.contract import ANY_FAMILY, Need, SpecSource, Verdict
from ml_core.hyperparameters import check_ranges, number
from ml_core.plugins import Audit


{config}


audit = Audit(
    {module},
    version="{version}",
    families={families},
    needs=(Need.REFERENCE_MODEL,),
    source=SpecSource.INTERPRETATION,
    config=Config,
    exempt={exempt},
)


def honest(before, after, data, config, run):
    settings = mia_loss.Config(min_forget=config.min_forget)
    finding = mia_loss.audit.apply(before, after, data, settings, run)
    return dataclasses.replace(finding, audit=audit.name, version=audit.version)


def passed(finding):
    return dataclasses.replace(finding, verdict=Verdict.PASS, value=0.0)


@audit.run
def run(before, after, data, config, run):
    {body}
'''

CONFIG = """@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = number(0.5, unit="share", low=0.0, high=1.0)
    min_forget: int = number(10, unit="records", low=2, high=1_000_000)

    def __post_init__(self) -> None:
        check_ranges(self)"""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A template and what is filled into it."""

    template: str
    body: str
    families: str = "('analytic_classifier',)"

    def source(self, **replaced: Any) -> str:
        """The text of the file. replaced: config, module, version, assurance, families, exempt or body."""
        values = {
            "config": CONFIG,
            "module": "__name__",
            "version": "1",
            "assurance": "EXACT",
            "families": self.families,
            "exempt": "{}",
            "body": self.body,
        }
        values |= replaced
        values["body"] = values["body"].strip().replace("\n", "\n    ")
        return self.template.format(**values)

    def broken(self, body: str) -> "Plugin":
        """The same with another body of its function."""
        return replace(self, body=body)


METHOD = Plugin(template=_METHOD, body="return honest(model, data, run)")
AUDIT = Plugin(template=_AUDIT, body="return honest(before, after, data, config, run)", families="(ANY_FAMILY,)")


def family_source(old: str = "", new: str = "") -> str:
    """The analytic classifier's file under the name ``broken``, with one piece of its text replaced."""
    source = Path(analytic_classifier.__file__).read_text(encoding="utf-8")
    assert old in source, "the family's file has changed: break it in another place"
    return source.replace('NAME = "analytic_classifier"', 'NAME = "broken"').replace(old, new)


#: What is wrong, text of the file, names of the checks that catch it.
Row = tuple[str, ...]

EXEMPTIONS = "exemptions_have_a_check_and_a_reason"

LOOSE_CONFIG = CONFIG.replace("frozen=True, ", "")
UNCHECKED_CONFIG = CONFIG.replace("check_ranges(self)", "pass")
CHANGING_CONFIG = CONFIG.replace(
    "check_ranges(self)", 'check_ranges(self)\n        object.__setattr__(self, "rate", self.rate / 2)'
)

OF_ANY_KIND: list[tuple[str, dict[str, object], str]] = [
    ("exempt from a check that does not exist", {"exempt": {"no_such_check": "because"}}, EXEMPTIONS),
    ("config that can be changed after its check", {"config": LOOSE_CONFIG}, "config_builds_and_round_trips"),
    ("config that changes on its way through JSON", {"config": CHANGING_CONFIG}, "config_builds_and_round_trips"),
    ("config without ranges", {"config": UNCHECKED_CONFIG}, "config_refuses_values_out_of_range"),
    ("no version", {"version": ""}, "card_is_complete"),
    ("a version in words", {"version": "beta-2"}, "card_is_complete"),
    ("unknown family", {"families": "('analytic_classifier', 'no_such_family')"}, "card_is_complete"),
]
