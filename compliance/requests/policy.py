"""The policy: which method each family gets, which audits decide, with which thresholds. Fixed before the run.

The digest of its canonical bytes goes into `request.planned`, which stands in the ledger before the job starts, so
that nobody can move a threshold after seeing a result.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785
from django.conf import settings

from compliance.evidence.errors import EvidenceError
from compliance.evidence.verdict import rules_of
from compliance.requests.errors import PolicyError
from compliance.requests.models import Policy

_KEYS = {"version", "methods", "audits", "superseded_weights_days"}
_AUDIT_KEYS = {"audit", "config", "pass_when", "accept_inconclusive_when_passed"}


@dataclass(frozen=True, kw_only=True)
class MethodChoice:
    """A method and the configuration it is run with."""

    method: str
    config: dict[str, Any]


def current() -> Policy:
    """The policy in force, stored under its digest; raises PolicyError."""
    policy = in_force()
    row, _ = Policy.objects.get_or_create(
        sha256=policy.sha256, defaults={"content": policy.content, "first_used_at": policy.first_used_at}
    )
    return row


def in_force() -> Policy:
    """The policy in force as a row that is not stored: for showing what would be done. Raises PolicyError."""
    content = rfc8785.dumps(_read())
    return Policy(sha256=sha256(content).hexdigest(), content=content, first_used_at=datetime.now(tz=UTC))


def document(policy: Policy) -> dict[str, Any]:
    """The content of a stored policy."""
    parsed: dict[str, Any] = json.loads(bytes(policy.content))
    return parsed


def method_for(policy: Policy, family: str) -> MethodChoice:
    """The method for a model family; raises PolicyError when the policy names none."""
    methods = document(policy)["methods"]
    if family not in methods:
        named = ", ".join(sorted(methods)) or "none"
        raise PolicyError(f"The policy names no method for the family {family!r}; it names: {named}. Add one to it.")
    return MethodChoice(method=methods[family]["method"], config=methods[family]["config"])


def audits_of(policy: Policy) -> set[str]:
    """The names of the audits that decide."""
    return {rule.audit for rule in rules_of(document(policy))}


def superseded_weights_days(policy: Policy) -> int:
    """How long weights that still know the person are kept after a newer version went into service."""
    return int(document(policy)["superseded_weights_days"])


def _read() -> dict[str, Any]:
    try:
        document = json.loads(settings.POLICY_PATH.read_text())
    except (OSError, ValueError) as error:
        raise PolicyError(f"The policy file {settings.POLICY_PATH} cannot be read as JSON: {error}") from error
    _refuse_malformed(document)
    return dict(document)


def _refuse_malformed(document: object) -> None:
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise PolicyError(f"The policy must be an object with exactly the keys {', '.join(sorted(_KEYS))}.")
    days = document["superseded_weights_days"]
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise PolicyError("policy.superseded_weights_days must be a whole number of days, 0 or more.")
    methods, audits = document["methods"], document["audits"]
    if not isinstance(methods, dict) or not all(_is_method_choice(choice) for choice in methods.values()):
        raise PolicyError('policy.methods must map a family to {"method": NAME, "config": {…}}.')
    if not isinstance(audits, list) or not audits or not all(_is_audit_choice(choice) for choice in audits):
        raise PolicyError(f"policy.audits must be a non-empty list of objects with the keys {sorted(_AUDIT_KEYS)}.")
    try:
        # The verifier's own reading: what it would refuse later must not be planned with.
        names = [rule.audit for rule in rules_of(document)]
    except EvidenceError as error:
        raise PolicyError(f"{error} {settings.POLICY_PATH} holds the policy.") from error
    for choice in audits:
        unknown = set(choice["accept_inconclusive_when_passed"]) - set(names)
        if unknown:
            raise PolicyError(
                f"policy.audits: {choice['audit']} leans on {sorted(unknown)}, which are not audits of it."
            )


def _is_method_choice(choice: object) -> bool:
    return (
        isinstance(choice, dict)
        and set(choice) == {"method", "config"}
        and isinstance(choice["method"], str)
        and isinstance(choice["config"], dict)
    )


def _is_audit_choice(choice: object) -> bool:
    return (
        isinstance(choice, dict)
        and set(choice) == _AUDIT_KEYS
        and isinstance(choice["audit"], str)
        and isinstance(choice["config"], dict)
        and isinstance(choice["accept_inconclusive_when_passed"], list)
    )
