"""One card for each model that a request concerns: how far its job is, what the audits found, what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db.models import prefetch_related_objects

from compliance.evidence import dsse
from compliance.evidence.errors import EvidenceError
from compliance.evidence.statement import EvidenceFacts, parse_statement
from compliance.requests import scope
from compliance.requests.models import DeletionRequest, Evidence, Finding, Job, Target
from compliance.requests.states import TargetState

TONES: Mapping[str, str] = {
    TargetState.QUEUED: "waiting",
    TargetState.RUNNING: "working",
    TargetState.PRODUCED: "working",
    TargetState.PASSED: "done",
    TargetState.DEPLOYED: "done",
    TargetState.FAILED: "alarm",
    TargetState.INCONCLUSIVE: "alarm",
    TargetState.NOT_PRESENT: "closed",
    TargetState.EXCEPTED: "closed",
    TargetState.HELD: "person",
}


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """One finding as it was reported. Numbers stay numbers; the template gives them their spelling."""

    audit: str
    verdict: str
    statistic: str
    value: float | int | str | None
    threshold: float | int | str
    interval: tuple[Any, Any] | None
    level: float | None
    n: Mapping[str, int]
    reasons: list[str]


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """A signed envelope: its digest, and what its statement allows to be said; None when it cannot be read."""

    row: Evidence
    envelope_sha256: str
    facts: EvidenceFacts | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One job of a target, with what came of it."""

    job: Job
    findings: list[FindingRow]
    evidence: list[EvidenceRow]


@dataclass(frozen=True, kw_only=True)
class TargetCard:
    """One model: the attempt that counts, and those before it."""

    target: Target
    tone: str
    latest: Attempt | None
    earlier: list[Attempt]

    @property
    def is_settled(self) -> bool:
        """Whether the new version passed its audits."""
        return scope.is_settled(self.target)


def cards(request: DeletionRequest) -> list[TargetCard]:
    """Cards in the order of the models' names; the number of queries does not grow with the number of models."""
    jobs = ("targets__job", "targets__findings__job", "targets__evidence__job")
    versions = [f"{job}__{version}" for job in jobs for version in ("before", "after")]
    prefetch_related_objects([request], "targets__model", *versions)
    return [_card(target) for target in request.targets.all()]


def _card(target: Target) -> TargetCard:
    known = [target.job, *(row.job for row in target.findings.all()), *(row.job for row in target.evidence.all())]
    jobs = {job.pk: job for job in known if job is not None}
    attempts = [_attempt(target, job) for job in sorted(jobs.values(), key=lambda job: job.queued_at, reverse=True)]
    return TargetCard(
        target=target,
        tone=TONES[target.state],
        latest=next((attempt for attempt in attempts if attempt.job == target.job), None),
        earlier=[attempt for attempt in attempts if attempt.job != target.job],
    )


def _attempt(target: Target, job: Job) -> Attempt:
    return Attempt(
        job=job,
        findings=[_finding(row) for row in target.findings.all() if row.job_id == job.pk],
        evidence=[_evidence(row) for row in target.evidence.all() if row.job_id == job.pk],
    )


def _finding(row: Finding) -> FindingRow:
    result = row.result
    return FindingRow(
        audit=row.audit,
        verdict=row.verdict,
        statistic=result["statistic"],
        value=result["value"],
        threshold=result["threshold"],
        interval=None if result["interval"] is None else (result["interval"][0], result["interval"][1]),
        level=result["level"],
        n=result["n"],
        reasons=result["reasons"],
    )


def _evidence(row: Evidence) -> EvidenceRow:
    envelope = bytes(row.envelope)
    try:
        facts = parse_statement(dsse.parse_envelope(envelope).payload)
    except EvidenceError:
        # Shown as unreadable: a page that fails here would hide the damage from the people who must see it.
        facts = None
    return EvidenceRow(row=row, envelope_sha256=sha256(envelope).hexdigest(), facts=facts)
