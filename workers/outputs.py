"""Results of ml_core to what is recorded and signed: narrow words, finite numbers, nothing about a person.

Findings are signed as they were recorded: they are read back from the row, so that a worker that takes over signs
exactly what the first one judged.

Next: compliance/requests/actions/record_findings.py
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from compliance.evidence import findings as signed
from compliance.evidence.statement import Challenge, EvidenceFacts, Method
from compliance.evidence.verdict import Result, Verdict, decide, rules_of
from compliance.requests import policy, queries
from compliance.requests.models import Job, Policy, Target
from ml_core import contract, plugins
from workers import process

_NOT_IN_A_WORD = re.compile(r"[^A-Za-z0-9_.+-]")
_MAX_WORD = 64


def outcome_of(method: plugins.Method[Any], result: contract.UnlearnResult) -> dict[str, Any]:
    """What is kept of a run: the method's own report, and which code made it."""
    card = method.card()
    made_by = {
        "version": card.version,
        "source_sha256": card.source_sha256,
        "spec_source": str(card.spec_source),
    }
    report = {**result.to_dict(), "guarantee_terms": _terms(result.guarantee_terms)}
    return {**report, "assurance": str(card.assurance), "method": made_by}


def finding_of(finding: contract.Finding) -> signed.Finding:
    """A finding in the alphabet of evidence. Raises EvidenceMalformedError when it does not fit even so."""
    interval = finding.interval
    return signed.Finding(
        audit=finding.audit,
        version=finding.version,
        statistic=_line(finding.statistic),
        value=_finite(finding.value),
        threshold=finding.threshold,
        interval=interval if interval and all(map(math.isfinite, interval)) else None,
        level=_finite(finding.level),
        p_value=_finite(finding.p_value),
        n={_word(name): count for name, count in finding.n.items()},
        verdict=Verdict(finding.verdict.value),
        reasons=tuple(_line(reason) for reason in finding.reasons),
        details=_terms(finding.details),
    )


def recorded_findings(job: Job, target: Target) -> tuple[signed.Finding, ...]:
    """The findings of this job about this target, as they were recorded; empty before that."""
    return tuple(signed.Finding.from_dict(row.result) for row in target.findings.filter(job=job))


def evidence_facts(job: Job, target: Target) -> EvidenceFacts:
    """Everything the evidence about one target says. Raises LookupError when a row that it rests on is missing."""
    if job.before is None or job.after is None or job.started_at is None or job.outcome is None:
        raise LookupError(f"the job {job.pk} was not recorded: there is nothing to sign")
    if job.challenge_log is None or job.challenge_size is None or target.request.policy is None:
        raise LookupError(f"the job {job.pk} has no challenge or no policy: there is nothing to sign")
    findings = recorded_findings(job, target)
    return EvidenceFacts(
        request_leaf_sha256=_leaf_of(target, "request.received").leaf_sha256,
        before_sha256=job.before.sha256,
        after_sha256=job.after.sha256,
        forget_commitment=target.forget_commitment,
        policy_sha256=target.request.policy.sha256,
        result=_result(target.request.policy, findings),
        request_id=str(target.request_id),
        target_id=str(target.pk),
        job_id=str(job.pk),
        method=Method(name=job.method, config=job.config, assurance=job.outcome["assurance"], **job.outcome["method"]),
        findings=findings,
        guarantee_terms=job.outcome["guarantee_terms"],
        challenge=Challenge(log=job.challenge_log, size=job.challenge_size, root_sha256=job.challenge_sha256),
        started_at=job.started_at.replace(microsecond=0),
        finished_at=datetime.now(tz=UTC).replace(microsecond=0),
        worker=process.worker(),
        n_forget=target.n_records,
    )


def started_version(job: Job, target: Target) -> str:
    """The version of the method that the ledger says the job was started with."""
    return str(_leaf_of(target, "job.started", job=str(job.pk)).facts["method_version"])


def _result(rules: Policy, findings: Sequence[signed.Finding]) -> Result:
    verdicts = {finding.audit: finding.verdict for finding in findings}
    return decide(rules_of(policy.document(rules)), verdicts)


def _leaf_of(target: Target, event_type: str, **facts: str) -> queries.TimelineEntry:
    for entry in queries.timeline(target.request_id):
        if entry.event_type == event_type and facts.items() <= dict(entry.facts).items():
            return entry
    raise LookupError(f"the ledger holds no {event_type} of the request {target.request_id}")


def _terms(values: Mapping[str, str | int | float]) -> dict[str, signed.Number]:
    return {_word(name): _term(value) for name, value in values.items()}


def _term(value: str | float) -> signed.Number:
    if isinstance(value, str):
        return _line(value)
    return value if math.isfinite(value) else "not finite"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _line(text: str) -> str:
    """A printable line without @ in any width, cut to what evidence takes."""
    shown = "".join(_shown(character) for character in text)
    return shown.strip()[: signed.MAX_TEXT] or "-"


def _shown(character: str) -> str:
    if "@" in unicodedata.normalize("NFKC", character):
        return " at "
    return character if character.isprintable() else " "


def _word(name: str) -> str:
    """A name in the alphabet of evidence. What had to be changed ends in a digest, so that two stay two."""
    word = _NOT_IN_A_WORD.sub("_", name)
    if word == name and len(name) <= _MAX_WORD and name[:1].isalnum():
        return name
    return f"n{word}"[: _MAX_WORD - 9] + "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
