"""From verdicts to a result: the one rule, used by the service that decides and by the verifier that checks it.

PASSED: every audit of the policy passed. WARNED: none failed, and each inconclusive one is excused by the policy,
because all the audits that it names for that case passed. FAILED: everything else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compliance.evidence.errors import FindingsError, MalformedFileError

# What an audit must have found to pass: its value is at most the threshold; or the whole interval lies between minus
# the threshold and the threshold, which shows equivalence (two one-sided tests).
VALUE_AT_MOST, INTERVAL_WITHIN = "value_at_most_threshold", "interval_within_threshold"
# Whole numbers beyond 2**53 are strings, as in findings.py.
Number = int | float | str
_RULE_KEYS = frozenset({"audit", "config", "pass_when", "accept_inconclusive_when_passed"})


class Verdict(StrEnum):
    """What one audit says."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Result(StrEnum):
    """What all audits of a policy say together, in the words of in-toto's test-result."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"

    @property
    def code(self) -> str:
        """The spelling in ledger leaves: passed, warned, failed."""
        return self.value.lower()


@dataclass(frozen=True, kw_only=True)
class AuditRule:
    """One audit of a policy. An empty excuse list means that inconclusive is never good enough."""

    audit: str
    config: Mapping[str, Any]
    pass_when: str
    accept_inconclusive_when_passed: tuple[str, ...]

    @property
    def threshold(self) -> int | float:
        """What the statistic is judged at."""
        threshold: int | float = self.config["threshold"]
        return threshold

    def allows_pass(self, value: Number | None, interval: tuple[Number, Number] | None, n: Mapping[str, int]) -> bool:
        """Whether these figures are a pass by the rule: at the threshold of the policy, and found with something."""
        if not all(n.values()):
            return False
        if self.pass_when == VALUE_AT_MOST:
            return value is not None and _exact(value) <= self.threshold
        return interval is not None and all(-self.threshold <= _exact(bound) <= self.threshold for bound in interval)


def rules_of(policy: Mapping[str, Any]) -> tuple[AuditRule, ...]:
    """The audit rules of a policy document; raises MalformedFileError. Other parts of the policy are not read.

    Every rule fixes a threshold: one that is left to the audit's code could be moved after a result was seen.
    """
    audits = policy.get("audits")
    if not isinstance(audits, list) or not audits:
        raise MalformedFileError("policy: expected a non-empty list `audits`, found none.")
    rules = tuple(_rule(entry) for entry in audits)
    names = {rule.audit for rule in rules}
    if len(names) != len(rules):
        raise MalformedFileError("policy: an audit is named twice. Keep one of them.")
    for rule in rules:
        if not set(rule.accept_inconclusive_when_passed) <= names - {rule.audit}:
            raise MalformedFileError(f"policy: {rule.audit} must lean on other audits of the policy alone.")
    return rules


def _rule(entry: Any) -> AuditRule:
    if not isinstance(entry, dict) or not set(entry) >= _RULE_KEYS:
        raise MalformedFileError(f"policy: expected {', '.join(sorted(_RULE_KEYS))} for each audit.")
    name, config, excuses = entry["audit"], entry["config"], entry["accept_inconclusive_when_passed"]
    if entry["pass_when"] not in (VALUE_AT_MOST, INTERVAL_WITHIN):
        raise MalformedFileError(f"policy: pass_when must be {VALUE_AT_MOST} or {INTERVAL_WITHIN}.")
    if not isinstance(excuses, list) or not all(isinstance(text, str) for text in (name, *excuses)):
        raise MalformedFileError("policy: expected names of audits as strings, excuses as a list of them.")
    # `True` is a number to Python, and NaN compares unequal to everything, itself included.
    if not isinstance(config, dict) or type(config.get("threshold")) not in (int, float):
        raise MalformedFileError(f"policy: the config of {name} must be an object that fixes a threshold.")
    if not math.isfinite(config["threshold"]):
        raise MalformedFileError(f"policy: the threshold of {name} must be a finite number.")
    return AuditRule(
        audit=name, config=config, pass_when=entry["pass_when"], accept_inconclusive_when_passed=tuple(excuses)
    )


def _exact(number: Number) -> int | float:
    return int(number) if isinstance(number, str) else number


def decide(rules: Sequence[AuditRule], verdicts: Mapping[str, Verdict]) -> Result:
    """The result for exactly one verdict per rule; raises FindingsError when an audit is missing or not asked for."""
    names = {rule.audit for rule in rules}
    if not names or names != set(verdicts):
        raise FindingsError(f"Expected one verdict for each of {sorted(names)}, found {sorted(verdicts)}.")
    if all(verdict is Verdict.PASS for verdict in verdicts.values()):
        return Result.PASSED
    if all(verdicts[rule.audit] is Verdict.PASS or _is_excused(rule, verdicts) for rule in rules):
        return Result.WARNED
    return Result.FAILED


def _is_excused(rule: AuditRule, verdicts: Mapping[str, Verdict]) -> bool:
    excuses = rule.accept_inconclusive_when_passed
    # all() of nothing is true: without this test an empty list would excuse everything.
    if not excuses or verdicts[rule.audit] is not Verdict.INCONCLUSIVE:
        return False
    return all(verdicts.get(name) is Verdict.PASS for name in excuses)
