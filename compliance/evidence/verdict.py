"""From verdicts to a result: the one rule, used by the service that decides and by the verifier that checks it.

PASSED: every audit of the policy passed. WARNED: none failed, and each inconclusive one is excused by the policy,
because all the audits that it names for that case passed. FAILED: everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compliance.evidence.errors import FindingsError, MalformedFileError


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
    accept_inconclusive_when_passed: tuple[str, ...]


def rules_of(policy: Mapping[str, Any]) -> tuple[AuditRule, ...]:
    """The audit rules of a policy document; raises MalformedFileError. Other parts of the policy are not read."""
    audits = policy.get("audits")
    if not isinstance(audits, list) or not audits:
        raise MalformedFileError("policy: expected a non-empty list `audits`, found none.")
    rules = tuple(_rule(entry) for entry in audits)
    if len({rule.audit for rule in rules}) != len(rules):
        raise MalformedFileError("policy: an audit is named twice. Keep one of them.")
    return rules


def _rule(entry: Any) -> AuditRule:
    try:
        rule = AuditRule(
            audit=entry["audit"],
            config=entry["config"],
            accept_inconclusive_when_passed=tuple(entry["accept_inconclusive_when_passed"]),
        )
    except (KeyError, TypeError) as error:
        raise MalformedFileError("policy: expected audit, config and accept_inconclusive_when_passed.") from error
    names = (rule.audit, *rule.accept_inconclusive_when_passed)
    if not isinstance(rule.config, dict) or not all(isinstance(name, str) for name in names):
        raise MalformedFileError("policy: expected names as strings and config as an object.")
    return rule


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
