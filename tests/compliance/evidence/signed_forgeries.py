"""What a holder of every key can sign: each fact of each event, each field of statements and summaries, said otherwise.

Each is either noticed with the code stated here, or is a word that nothing in the evidence contradicts (`FREE_…`):
then it is the controller's own claim, and the report says no more than that.
"""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from compliance.evidence.errors import ExitCode
from compliance.evidence.findings import Finding
from compliance.evidence.leaf import ROLES, Event
from compliance.evidence.roles import ROLES_OF
from compliance.evidence.statement import Challenge, EvidenceFacts, Method, Worker
from compliance.evidence.verdict import Result, Verdict

from .edits import on
from .story import some_id

ZERO = "0" * 64
OTHER = some_id(99)
EventEdit = Callable[[Event], Event]

# Event type → fact → (another value of its kind, code).
FACTS: dict[str, dict[str, tuple[Any, ExitCode]]] = {
    "request.received": {"commitment": (ZERO, ExitCode.OPENING_MISMATCH)},
    "request.approved": {
        "scope_commitment": (ZERO, ExitCode.OPENING_MISMATCH),
        "n_targets": (3, ExitCode.SCOPE_MISMATCH),
    },
    "request.planned": {
        "policy_sha256": (ZERO, ExitCode.POLICY_MISMATCH),
        "jobs": ([OTHER], ExitCode.POLICY_AFTER_RUN),
    },
    "request.completed": {
        "evidence": ([ZERO, ZERO], ExitCode.COMPLETION_MISMATCH),
        "versions": ([ZERO, ZERO], ExitCode.COMPLETION_MISMATCH),
    },
    "job.started": {
        "job": (OTHER, ExitCode.POLICY_AFTER_RUN),
        "target": (OTHER, ExitCode.POLICY_AFTER_RUN),
        "model": (OTHER, ExitCode.SCOPE_MISMATCH),
        "method": ("npo", ExitCode.JOB_MISMATCH),
        "method_version": ("2", ExitCode.JOB_MISMATCH),
        "config_sha256": (ZERO, ExitCode.JOB_MISMATCH),
        "before_sha256": (ZERO, ExitCode.SWAPPED_MODEL),
        "challenge_sha256": (ZERO, ExitCode.CHALLENGE_MISMATCH),
    },
    "job.recorded": {
        "job": (OTHER, ExitCode.JOB_MISMATCH),
        "target": (OTHER, ExitCode.JOB_MISMATCH),
        "before_sha256": (ZERO, ExitCode.SWAPPED_MODEL),
        "after_sha256": (ZERO, ExitCode.SWAPPED_MODEL),
        "assurance": ("certified", ExitCode.JOB_MISMATCH),
    },
    "findings.recorded": {
        "job": (OTHER, ExitCode.JOB_MISMATCH),
        "target": (OTHER, ExitCode.JOB_MISMATCH),
        "findings_sha256": (ZERO, ExitCode.FINDINGS_MISMATCH),
        "verdict": ("failed", ExitCode.FINDINGS_MISMATCH),
    },
}
FREE_FACTS: dict[str, dict[str, Any]] = {
    "request.received": {"channel": "portal", "regulation": "ccpa", "ground": "art17_1_a"},
    # There is one method so far.
    "request.identity_requested": {"method": "email_code"},
    "request.identity_confirmed": {"method": "email_code", "level": 3},
    "request.approved": {"ground": "art17_1_a"},
    "job.started": {"attempt": 7},
}


def head(event_type: str, **changes: Any) -> EventEdit:
    """What every event has beside its facts."""
    return lambda event: event._replace(**changes) if event.type == event_type else event


def heads(event_type: str) -> dict[str, tuple[EventEdit, ExitCode]]:
    """The head of one type of event, said otherwise."""
    edits = {
        f"{event_type} of another request": (head(event_type, request=OTHER), ExitCode.SWAPPED_REQUEST),
        f"{event_type} after another event": (head(event_type, previous=ZERO), ExitCode.CHAIN_BROKEN),
    }
    if event_type == "request.received":
        # The first event follows nothing, and its allow-list knows nothing else.
        del edits[f"{event_type} after another event"]
    for role in sorted(ROLES - ROLES_OF[event_type]):
        edits[f"{event_type} by the role {role}"] = (head(event_type, actor_role=role), ExitCode.ACTOR_ROLE)
    return edits


EVENTS: dict[str, tuple[EventEdit, ExitCode]] = {
    f"{event_type} with another {fact}": (on(event_type, **{fact: value}), code)
    for event_type, expected in FACTS.items()
    for fact, (value, code) in expected.items()
}
for _event_type in sorted({*FACTS, *FREE_FACTS}):
    EVENTS |= heads(_event_type)

FREE_EVENTS: dict[str, EventEdit] = {
    f"{event_type} with another {fact}": on(event_type, **{fact: value})
    for event_type, expected in FREE_FACTS.items()
    for fact, value in expected.items()
} | {"every event a minute later": lambda event: event._replace(at=event.at + timedelta(minutes=1))}
FREE_EVENTS |= {
    f"{event_type} by the role {role}": head(event_type, actor_role=role)
    for event_type in sorted({*FACTS, *FREE_FACTS})
    for role in sorted(ROLES_OF[event_type])
}

# --- Statements -----------------------------------------------------------------------------------------------------

StatementEdit = Callable[[EvidenceFacts], EvidenceFacts]


def statement(**changes: Any) -> StatementEdit:
    return lambda facts: dataclasses.replace(facts, **changes)


def method(**changes: Any) -> StatementEdit:
    return lambda facts: dataclasses.replace(facts, method=dataclasses.replace(facts.method, **changes))


def challenge(**changes: Any) -> StatementEdit:
    return lambda facts: dataclasses.replace(facts, challenge=dataclasses.replace(facts.challenge, **changes))


def finding(at: int, **changes: Any) -> StatementEdit:
    """One of the two findings."""

    def edit(facts: EvidenceFacts) -> EvidenceFacts:
        found = list(facts.findings)
        found[at] = dataclasses.replace(found[at], **changes)
        return dataclasses.replace(facts, findings=tuple(found))

    return edit


STATEMENTS: dict[str, tuple[StatementEdit, ExitCode]] = {
    "request_leaf_sha256": (statement(request_leaf_sha256=ZERO), ExitCode.SWAPPED_REQUEST),
    "request_id": (statement(request_id=OTHER), ExitCode.SWAPPED_REQUEST),
    "target_id": (statement(target_id=OTHER), ExitCode.JOB_MISMATCH),
    "job_id": (statement(job_id=OTHER), ExitCode.JOB_MISMATCH),
    "before_sha256": (statement(before_sha256=ZERO), ExitCode.SWAPPED_MODEL),
    "after_sha256": (statement(after_sha256=ZERO), ExitCode.SWAPPED_MODEL),
    "forget_commitment": (statement(forget_commitment=ZERO), ExitCode.SCOPE_MISMATCH),
    "policy_sha256": (statement(policy_sha256=ZERO), ExitCode.POLICY_MISMATCH),
    "n_forget": (statement(n_forget=9), ExitCode.SCOPE_MISMATCH),
    "result better": (statement(result=Result.PASSED), ExitCode.FINDINGS_MISMATCH),
    "result worse": (statement(result=Result.FAILED), ExitCode.FINDINGS_MISMATCH),
    "method.name": (method(name="npo"), ExitCode.JOB_MISMATCH),
    "method.version": (method(version="2"), ExitCode.JOB_MISMATCH),
    "method.config": (method(config={}), ExitCode.JOB_MISMATCH),
    "method.assurance": (method(assurance="certified"), ExitCode.JOB_MISMATCH),
    "challenge.root_sha256": (challenge(root_sha256=ZERO), ExitCode.CHALLENGE_MISMATCH),
    "challenge.size": (challenge(size=10**6), ExitCode.CHALLENGE_MISMATCH),
    "challenge.size before the plan": (challenge(size=1), ExitCode.CHALLENGE_MISMATCH),
    "started_at dated back": (
        lambda facts: statement(started_at=facts.started_at - timedelta(hours=1))(facts),
        ExitCode.CHALLENGE_MISMATCH,
    ),
    "challenge.log": (challenge(log=2), ExitCode.CHALLENGE_MISMATCH),
    "findings none but one": (lambda facts: statement(findings=facts.findings[:1])(facts), ExitCode.FINDINGS_MISMATCH),
    "findings reversed": (lambda facts: statement(findings=facts.findings[::-1])(facts), ExitCode.FINDINGS_MISMATCH),
    "finding.audit": (finding(1, audit="mia_lira"), ExitCode.FINDINGS_MISMATCH),
    "finding.version": (finding(1, version="2"), ExitCode.FINDINGS_MISMATCH),
    "finding.statistic": (finding(1, statistic="AUC"), ExitCode.FINDINGS_MISMATCH),
    "finding.value": (finding(1, value=0), ExitCode.FINDINGS_MISMATCH),
    "finding.threshold": (finding(1, threshold=0.5), ExitCode.FINDINGS_MISMATCH),
    "finding.interval": (finding(1, interval=None), ExitCode.FINDINGS_MISMATCH),
    "finding.level": (finding(1, level=0.5), ExitCode.FINDINGS_MISMATCH),
    "finding.p_value": (finding(1, p_value=0.5), ExitCode.FINDINGS_MISMATCH),
    "finding.n": (finding(1, n={"forget": 900}), ExitCode.FINDINGS_MISMATCH),
    "finding.verdict": (finding(1, verdict=Verdict.FAIL), ExitCode.FINDINGS_MISMATCH),
    "finding.reasons": (finding(1, reasons=("another",)), ExitCode.FINDINGS_MISMATCH),
    "finding.details": (finding(1, details={"seed": 1}), ExitCode.FINDINGS_MISMATCH),
}
FREE_STATEMENTS: dict[str, StatementEdit] = {
    "guarantee_terms": statement(guarantee_terms={"epsilon": 1}),
    "started_at": lambda facts: statement(started_at=facts.started_at + timedelta(minutes=1))(facts),
    "finished_at": lambda facts: statement(finished_at=facts.finished_at + timedelta(hours=1))(facts),
    "worker": statement(worker=Worker(id=OTHER, code_version="9.9")),
    "method.source_sha256": method(source_sha256=ZERO),
    "method.spec_source": method(spec_source="interpretation"),
}


def fields_of(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def parts_of_statements() -> set[str]:
    """Every field of a statement, those of method, challenge and findings one by one."""
    parts = fields_of(EvidenceFacts) - {"method", "challenge", "findings"}
    parts |= {f"method.{name}" for name in fields_of(Method)}
    parts |= {f"challenge.{name}" for name in fields_of(Challenge)}
    return parts | {f"finding.{name}" for name in fields_of(Finding)}
