"""Findings before they are signed: numbers that survive JSON, and no room for a person's data."""

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical, findings
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.findings import Finding
from compliance.evidence.verdict import Verdict

FINDING = Finding(
    audit="mia_loss",
    version="1",
    statistic="AUC after − AUC reference",
    value=0.01,
    threshold=0.1,
    interval=(-0.02, 0.04),
    level=0.9,
    p_value=0.03,
    n={"forget": 12, "holdout": 200},
    verdict=Verdict.PASS,
    reasons=("within the margin",),
    details={"auc_after": 0.51, "weights_sha256": "ab" * 32},
)

NOT_SIGNED: dict[str, dict[str, Any]] = {
    "a name with a space": {"audit": "mia loss"},
    "a name that is an address": {"audit": "jane@example.org"},
    "a name that is too long": {"audit": "a" * 65},
    "no name": {"audit": ""},
    "a name that is a list": {"audit": ["mia_loss"]},
    "a statistic that is an address": {"statistic": "jane@example.org"},
    "an address in wide letters": {"statistic": "jane＠example.org"},
    "an address in small letters": {"statistic": "jane﹫example.org"},
    "a statistic of two lines": {"statistic": "one\ntwo"},
    "a statistic that steers the terminal": {"statistic": "\x1b[2J"},
    "a statistic that is written backwards": {"statistic": "\u202eCUA"},
    "half a surrogate pair": {"statistic": "\ud800"},
    "an endless statistic": {"statistic": "a" * 301},
    "no statistic": {"statistic": ""},
    "a value that is no number": {"value": float("nan")},
    "an endless value": {"value": float("inf")},
    "a value beyond measure": {"value": 1e40},
    "a value that is true": {"value": True},
    "a value in words": {"value": "0.5"},
    "a small number in words": {"value": "12"},
    "a pass without a value": {"value": None},
    "a failure without a value": {"value": None, "verdict": Verdict.FAIL},
    "an inconclusive finding without a reason": {"verdict": Verdict.INCONCLUSIVE, "reasons": ()},
    "no threshold": {"threshold": None},
    "a threshold that is no number": {"threshold": float("nan")},
    "an interval the wrong way round": {"interval": (0.04, -0.02)},
    "an interval the wrong way round beyond exact numbers": {"interval": (2**60, 2**59)},
    "an interval of one bound": {"interval": (0.04,)},
    "an interval of three bounds": {"interval": (0, 1, 2)},
    "an interval without end": {"interval": (0.0, float("inf"))},
    "a level above one": {"level": 1.5},
    "a level below zero": {"level": -0.1},
    "a level that is no number": {"level": float("nan")},
    "a level that is true": {"level": True},
    "a probability of two": {"p_value": 2},
    "a number of things with a fraction": {"n": {"forget": 1.5}},
    "fewer things than none": {"n": {"forget": -1}},
    "things of a person's name": {"n": {"jane doe": 1}},
    "an unknown verdict": {"verdict": "passed"},
    "a reason that is an address": {"reasons": ("asked by jane@example.org",)},
    "a reason that is a number": {"reasons": (1,)},
    "a detail of a person's name": {"details": {"jane doe": 1}},
    "a detail that is an address": {"details": {"who": "jane@example.org"}},
    "a detail that is a list": {"details": {"who": ["a"]}},
    "a detail that is true": {"details": {"ok": True}},
}


@pytest.mark.parametrize("name", NOT_SIGNED)
def test_what_must_not_be_signed_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(EvidenceMalformedError) as caught:
        dataclasses.replace(FINDING, **NOT_SIGNED[name]).to_dict()
    assert "jane" not in str(caught.value)


NO_FINDINGS: dict[str, Any] = {
    "nothing": {},
    "a list": [],
    "a word": "finding",
    "null": None,
    "a member too many": {**FINDING.to_dict(), "person": "jane"},
    "a member too few": {name: value for name, value in FINDING.to_dict().items() if name != "threshold"},
    "an unknown verdict": {**FINDING.to_dict(), "verdict": "jane"},
    "a verdict that is a list": {**FINDING.to_dict(), "verdict": []},
    "an interval that is a number": {**FINDING.to_dict(), "interval": 1},
    "things that are a list": {**FINDING.to_dict(), "n": []},
    "reasons that are null": {**FINDING.to_dict(), "reasons": None},
    "details that are a list": {**FINDING.to_dict(), "details": []},
}


@pytest.mark.parametrize("name", NO_FINDINGS)
def test_another_form_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(EvidenceMalformedError) as caught:
        Finding.from_dict(NO_FINDINGS[name])
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, 0),
        (-0.25, -0.25),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**60), "-1152921504606846976"),
        (1e20, "100000000000000000000"),
        ("9007199254740992", "9007199254740992"),
        (5e-324, 5e-324),
    ],
)
def test_numbers_beyond_the_exact_ones_are_written_as_text(value: Any, written: Any) -> None:
    assert findings.number(value, "value") == written


@given(st.integers(-(10**39), 10**39) | st.floats(-1e39, 1e39))
def test_a_number_means_the_same_after_json_however_large(value: float) -> None:
    written = canonical.loads(canonical.dumps(findings.number(value, "value")))
    assert findings.number(written, "value") == findings.number(value, "value")
    assert (int(written) if isinstance(written, str) else written) == value


NUMBERS = st.integers(-(2**60), 2**60) | st.floats(-1e39, 1e39)
TOKENS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", fullmatch=True)
LINES = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="@＠﹫"), min_size=1, max_size=40)
FRACTIONS = st.none() | st.floats(0, 1)
FINDINGS = st.builds(
    Finding,
    audit=TOKENS,
    version=TOKENS,
    statistic=LINES,
    value=NUMBERS,
    threshold=NUMBERS,
    interval=st.none() | st.tuples(NUMBERS, NUMBERS).map(lambda bounds: (min(bounds), max(bounds))),
    level=FRACTIONS,
    p_value=FRACTIONS,
    n=st.dictionaries(TOKENS, st.integers(0, canonical.MAX_INT), max_size=3),
    verdict=st.sampled_from([Verdict.PASS, Verdict.FAIL]),
    reasons=st.lists(LINES, max_size=3).map(tuple),
    details=st.dictionaries(TOKENS, NUMBERS | LINES, max_size=3),
)


@given(FINDINGS)
def test_a_finding_is_read_back_to_the_same_json(finding: Finding) -> None:
    written = canonical.dumps(finding.to_dict())
    assert canonical.dumps(Finding.from_dict(canonical.loads(written)).to_dict()) == written
    assert not any(math.isnan(number) for number in json.loads(written).values() if isinstance(number, float))


def test_details_may_be_left_out() -> None:
    written = {name: value for name, value in FINDING.to_dict().items() if name != "details"}
    assert Finding.from_dict(written).details == {}


@given(FINDINGS, FINDINGS)
def test_the_digest_of_findings_tells_them_and_their_order_apart(first: Finding, second: Finding) -> None:
    is_same = first.to_dict() == second.to_dict()
    digest = findings.findings_sha256
    assert (digest([first]) == digest([second])) is is_same
    assert (digest([first, second]) == digest([second, first])) is is_same
    assert digest([first]) == canonical.digest([first.to_dict()])
