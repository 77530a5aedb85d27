"""The rule from verdicts to a result: policies that are refused, every combination against a slow twin."""

from itertools import product
from typing import Any

import pytest

from compliance.evidence.errors import FindingsError, MalformedFileError
from compliance.evidence.verdict import (
    INTERVAL_WITHIN,
    VALUE_AT_MOST,
    AuditRule,
    Number,
    Result,
    Verdict,
    decide,
    rules_of,
)

P, F, N = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def rule(audit: str, *excuses: str) -> dict[str, Any]:
    return {
        "audit": audit,
        "config": {"threshold": 0},
        "pass_when": VALUE_AT_MOST,
        "accept_inconclusive_when_passed": list(excuses),
    }


BAD_POLICIES: dict[str, dict[str, Any]] = {
    "no audits": {},
    "an empty list": {"audits": []},
    "audits that are an object": {"audits": {"a": rule("a")}},
    "audits that are null": {"audits": None},
    "a rule that is a word": {"audits": ["a"]},
    "a rule without a name": {"audits": [{key: value for key, value in rule("a").items() if key != "audit"}]},
    "no word about passing": {"audits": [{key: value for key, value in rule("a").items() if key != "pass_when"}]},
    "a way to pass that nobody knows": {"audits": [{**rule("a"), "pass_when": "always"}]},
    "a way to pass that is a list": {"audits": [{**rule("a"), "pass_when": [VALUE_AT_MOST]}]},
    "a name that is a number": {"audits": [{**rule("a"), "audit": 1}]},
    "a name that is a list": {"audits": [{**rule("a"), "audit": []}]},
    "an audit twice": {"audits": [rule("a"), rule("a")]},
    "no excuse list": {
        "audits": [{key: value for key, value in rule("a").items() if key != "accept_inconclusive_when_passed"}]
    },
    "an excuse list that is a word": {"audits": [{**rule("a"), "accept_inconclusive_when_passed": "b"}, rule("b")]},
    "an excuse list that is an object": {"audits": [{**rule("a"), "accept_inconclusive_when_passed": {"b": 1}}]},
    "an excuse that is a list": {"audits": [{**rule("a"), "accept_inconclusive_when_passed": [["b"]]}, rule("b")]},
    "an excuse that is not in the policy": {"audits": [rule("a", "b")]},
    "an audit that excuses itself": {"audits": [rule("a", "a")]},
    "no threshold": {"audits": [{**rule("a"), "config": {}}]},
    "a threshold of none": {"audits": [{**rule("a"), "config": {"threshold": None}}]},
    "a threshold that is true": {"audits": [{**rule("a"), "config": {"threshold": True}}]},
    "a threshold in words": {"audits": [{**rule("a"), "config": {"threshold": "0.1"}}]},
    "a threshold that is no number": {"audits": [{**rule("a"), "config": {"threshold": float("nan")}}]},
    "a threshold without end": {"audits": [{**rule("a"), "config": {"threshold": float("inf")}}]},
    "a config that is a list": {"audits": [{**rule("a"), "config": [0]}]},
}


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_a_policy_that_leaves_something_open_is_refused(name: str) -> None:
    with pytest.raises(MalformedFileError, match="policy"):
        rules_of(BAD_POLICIES[name])


RULES = rules_of({"audits": [rule("equal"), rule("attack", "equal"), rule("probe", "equal", "attack")]})


@pytest.mark.parametrize(
    "verdicts",
    [
        pytest.param({}, id="none"),
        pytest.param({"equal": P, "attack": P}, id="one too few"),
        pytest.param({"equal": P, "attack": P, "probe": P, "other": P}, id="one too many"),
        pytest.param({"equal": P, "attack": P, "other": P}, id="another one"),
    ],
)
def test_verdicts_that_are_not_those_of_the_policy_give_no_result(verdicts: dict[str, Verdict]) -> None:
    with pytest.raises(FindingsError):
        decide(RULES, verdicts)


def test_a_policy_without_rules_never_passes() -> None:
    with pytest.raises(FindingsError):
        decide((), {})


def by_the_words_of_the_rule(equal: Verdict, attack: Verdict, probe: Verdict) -> Result:
    """The sentence of the module, written out for these three audits."""
    verdicts = (equal, attack, probe)
    if verdicts == (P, P, P):
        return Result.PASSED
    if F in verdicts or equal is N:
        return Result.FAILED
    # `equal` passed, so `attack` is excused where it is inconclusive; then it has not passed, and excuses nobody.
    return Result.FAILED if probe is N and attack is N else Result.WARNED


@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=3)), ids="-".join)
def test_every_combination_is_decided_as_the_rule_says(verdicts: tuple[Verdict, Verdict, Verdict]) -> None:
    found = dict(zip(("equal", "attack", "probe"), verdicts, strict=True))
    assert decide(RULES, found) is by_the_words_of_the_rule(*verdicts)


def test_the_order_of_the_rules_does_not_matter() -> None:
    for verdicts in product(Verdict, repeat=3):
        found = dict(zip(("equal", "attack", "probe"), verdicts, strict=True))
        assert decide(RULES[::-1], found) is decide(RULES, found)


def test_rules_keep_threshold_and_excuses() -> None:
    (only,) = rules_of({"audits": [{**rule("a"), "config": {"threshold": 0.1, "level": 0.9}}], "version": 1})
    expected = AuditRule(
        audit="a",
        config={"threshold": 0.1, "level": 0.9},
        pass_when=VALUE_AT_MOST,
        accept_inconclusive_when_passed=(),
    )
    assert only == expected
    assert only.threshold == 0.1


@pytest.mark.parametrize("result", Result)
def test_the_code_in_the_ledger_is_the_result_in_small_letters(result: Result) -> None:
    assert result.code == result.value.lower()


@pytest.mark.parametrize(
    ("pass_when", "value", "interval", "n", "is_allowed"),
    [
        pytest.param(VALUE_AT_MOST, 0.1, None, {"retain": 5}, True, id="a value at the threshold"),
        pytest.param(VALUE_AT_MOST, -9, None, {"retain": 5}, True, id="a value far below it"),
        pytest.param(VALUE_AT_MOST, 0.11, None, {"retain": 5}, False, id="a value above it"),
        pytest.param(VALUE_AT_MOST, str(2**60), None, {"retain": 5}, False, id="a huge value"),
        pytest.param(VALUE_AT_MOST, str(-(2**60)), None, {"retain": 5}, True, id="a huge value below zero"),
        pytest.param(VALUE_AT_MOST, None, (0, 0), {"retain": 5}, False, id="no value"),
        pytest.param(VALUE_AT_MOST, 0, None, {"retain": 5, "forget": 0}, False, id="a value found with nothing"),
        pytest.param(INTERVAL_WITHIN, 0, (-0.1, 0.1), {"forget": 5}, True, id="an interval that fits"),
        pytest.param(INTERVAL_WITHIN, 0, (-0.11, 0.1), {"forget": 5}, False, id="an interval too far below"),
        pytest.param(INTERVAL_WITHIN, 0, (0, 0.11), {"forget": 5}, False, id="an interval too far above"),
        pytest.param(INTERVAL_WITHIN, 0, None, {"forget": 5}, False, id="no interval"),
        pytest.param(INTERVAL_WITHIN, 0, (0, 0), {"forget": 0}, False, id="an interval found with nothing"),
    ],
)
def test_a_pass_rests_on_figures_that_allow_it(
    pass_when: str, value: Number | None, interval: tuple[Number, Number] | None, n: dict[str, int], is_allowed: bool
) -> None:
    asked = AuditRule(audit="a", config={"threshold": 0.1}, pass_when=pass_when, accept_inconclusive_when_passed=("b",))
    assert asked.allows_pass(value, interval, n) is is_allowed
