"""One piece of attached evidence against the ledger: the bytes, whose they are, and what they say.

Everything compared here is either in the signed statement or in a ledger entry that was proven before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.evidence import canonical, clock, dsse, verdict
from compliance.evidence.chain import Chain, Link
from compliance.evidence.errors import (
    ChallengeError,
    FindingsError,
    JobMismatchError,
    PolicyMismatchError,
    PolicyOrderError,
    SwappedModelError,
    SwappedRequestError,
)
from compliance.evidence.findings import Finding, findings_sha256, number
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.statement import EvidenceFacts, Method, parse_statement
from compliance.evidence.verdict import AuditRule, Result, Verdict

# Whether the log with this number is proven to have had this root (32 bytes) at this size.
HadRoot = Callable[[int, int, bytes], bool]
# Whether the manifest of the version with this digest (hex) is shown; may raise what is wrong with it.
HasManifest = Callable[[str], bool]


@dataclass(frozen=True)
class Run:
    """The ledger's account of the job behind one piece of evidence."""

    planned: Link
    started: Link
    recorded: Link
    findings: Link


def open_statement(attached: AttachedEvidence) -> EvidenceFacts:
    """The statement of an envelope whose signature was verified; raises EvidenceMalformedError."""
    return parse_statement(dsse.parse_envelope(attached.envelope).payload)


def find_run(facts: EvidenceFacts, attached: AttachedEvidence, chain: Chain) -> Run:
    """The job's events, in their right order around the evidence.

    Raises SwappedRequestError, JobMismatchError or PolicyOrderError.
    """
    _refuse_foreign(facts, attached, chain)
    recorded = _only(chain, "job.recorded", facts)
    findings = _only(chain, "findings.recorded", facts)
    starts = chain.of_job("job.started", facts.job_id, facts.target_id)
    # A worker that was lost leaves a start of its own; the run that counts is the last one before the result.
    started = [start for start in starts if start.position < recorded.position]
    failed = [
        link for link in chain.of_job("job.failed", facts.job_id, facts.target_id) if link.position < attached.position
    ]
    if failed:
        raise JobMismatchError(
            f"The job {facts.job_id} failed at entry {failed[0].position}; a failed job is never resumed."
        )
    planned = chain.last("request.planned", before=started[-1].position) if started else None
    if planned is None:
        raise PolicyOrderError(f"The job {facts.job_id} was recorded at {recorded.position} without a start before it.")
    order = [planned.position, started[-1].position, recorded.position, findings.position, attached.position]
    if chain.closing is not None:
        order.append(chain.closing.position)
    if order != sorted(order):
        raise PolicyOrderError(
            f"Plan, start, result, findings, evidence and closing are out of order: {', '.join(map(str, order))}."
        )
    return Run(planned, started[-1], recorded, findings)


def _refuse_foreign(facts: EvidenceFacts, attached: AttachedEvidence, chain: Chain) -> None:
    received = chain.received
    if facts.request_leaf_sha256 != received.sha256 or facts.request_id != received.event.request:
        raise SwappedRequestError(
            f"The evidence at entry {attached.position} is about the request {facts.request_id} "
            f"({facts.request_leaf_sha256[:16]}…), not {received.event.request} ({received.sha256[:16]}…)."
        )
    if facts.target_id != attached.target:
        raise JobMismatchError(f"The evidence attached to {attached.target} is about the target {facts.target_id}.")


def _only(chain: Chain, event_type: str, facts: EvidenceFacts) -> Link:
    found = chain.of_job(event_type, facts.job_id, facts.target_id)
    if len(found) != 1:
        raise JobMismatchError(f"Expected one {event_type} of the job {facts.job_id}, found {len(found)}.")
    return found[0]


def refuse_other_models(facts: EvidenceFacts, run: Run, has_manifest: HasManifest) -> None:
    """Raises SwappedModelError unless statement, ledger and manifests name the same versions, before and after; or
    what `has_manifest` raises."""
    recorded = run.recorded.event
    logged = (recorded.text("before_sha256"), recorded.text("after_sha256"))
    if (facts.before_sha256, facts.after_sha256) != logged:
        raise SwappedModelError(f"The evidence of job {facts.job_id} names other versions than the ledger recorded.")
    if run.started.event.text("before_sha256") != facts.before_sha256:
        raise SwappedModelError(f"The job {facts.job_id} started from another version than the evidence names.")
    if facts.before_sha256 == facts.after_sha256 and facts.result is not Result.FAILED:
        raise SwappedModelError(f"The job {facts.job_id} left the model as it was; that cannot have passed.")
    missing = [digest for digest in logged if not has_manifest(digest)]
    if missing:
        raise SwappedModelError(f"The manifest models/{missing[0]}.json of job {facts.job_id} is not in the bundle.")


def refuse_other_job(facts: EvidenceFacts, run: Run) -> None:
    """Raises JobMismatchError unless method, version, configuration and assurance are those of the ledger."""
    started = run.started.event
    claimed = {
        "method": facts.method.name,
        "method_version": facts.method.version,
        "config_sha256": facts.method.config_sha256,
    }
    for fact, value in claimed.items():
        if started.text(fact) != value:
            raise JobMismatchError(f"The evidence says {fact} {value}, job.started says {started.text(fact)}.")
    if run.recorded.event.text("assurance") != facts.method.assurance:
        raise JobMismatchError(f"The evidence claims the assurance {facts.method.assurance}, the ledger another.")


def refuse_other_policy(facts: EvidenceFacts, run: Run, policy_sha256: str, policy: Mapping[str, Any]) -> None:
    """Raises PolicyMismatchError unless the run was planned under the policy shown and used a method as it says."""
    planned = run.planned.event.text("policy_sha256")
    if not facts.policy_sha256 == planned == policy_sha256:
        raise PolicyMismatchError(
            f"policy.json is {policy_sha256[:16]}…, the plan recorded {planned[:16]}…, "
            f"the evidence names {facts.policy_sha256[:16]}…; all three must agree."
        )
    methods = policy.get("methods")
    if not isinstance(methods, dict) or not any(_allows(choice, facts.method) for choice in methods.values()):
        raise PolicyMismatchError(f"The policy does not name the method {facts.method.name} with this configuration.")


def _allows(choice: Any, method: Method) -> bool:
    """Whether a choice of the policy is this method, with each parameter that the policy fixes."""
    if (
        not isinstance(choice, dict)
        or choice.get("method") != method.name
        or not isinstance(choice.get("config"), dict)
    ):
        return False
    # Compared as bytes, for Python takes True and 1 for the same.
    return all(
        name in method.config and canonical.dumps(method.config[name]) == canonical.dumps(value)
        for name, value in choice["config"].items()
    )


def refuse_other_challenge(facts: EvidenceFacts, run: Run, had_root: HadRoot) -> None:
    """Raises ChallengeError unless the statement carries the head that the log had when the job started: so neither it
    nor the run is older than the plan, which that head covers."""
    challenge, started = facts.challenge, run.started
    if challenge.root_sha256 != started.event.text("challenge_sha256"):
        raise ChallengeError(f"The evidence carries another challenge than entry {started.position} noted.")
    # The checkpoint covers the entries before this position.
    end = Position(challenge.log, challenge.size)
    shown = f"The challenge is a checkpoint over {challenge.size} entries of log {challenge.log}"
    if end > started.position:
        raise ChallengeError(f"{shown}, but the job's start is entry {started.position}: it cannot have been known.")
    if end <= run.planned.position:
        raise ChallengeError(f"{shown}: it does not cover the plan, which is entry {run.planned.position}.")
    if not had_root(challenge.log, challenge.size, bytes.fromhex(challenge.root_sha256)):
        raise ChallengeError(f"{shown}, but nothing proves that the log had this root then.")
    if clock.is_before(facts.started_at, started.event.at):
        raise ChallengeError(
            f"The evidence says that the job started at {facts.started_at:%Y-%m-%d %H:%M}; entry {started.position} says "
            f"{started.event.at:%Y-%m-%d %H:%M}."
        )


def refuse_other_findings(facts: EvidenceFacts, run: Run, policy: Mapping[str, Any]) -> None:
    """Recompute digest, thresholds and result; raises FindingsError where they differ from ledger or policy.

    Raises MalformedFileError for a policy without rules or without a threshold in each.
    """
    noted = run.findings.event
    if findings_sha256(facts.findings) != noted.text("findings_sha256"):
        raise FindingsError(f"The findings of job {facts.job_id} are not those of entry {run.findings.position}.")
    rules = verdict.rules_of(policy)
    found = {finding.audit: finding for finding in facts.findings}
    if len(found) != len(facts.findings):
        raise FindingsError(f"The evidence of job {facts.job_id} holds two findings of one audit.")
    result = verdict.decide(rules, {audit: finding.verdict for audit, finding in found.items()})
    for rule in rules:
        refuse_other_yardstick(rule, found[rule.audit])
    if facts.result is not result or noted.text("verdict") != result.code:
        raise FindingsError(
            f"By the policy the result is {result}; the evidence says {facts.result}, "
            f"the ledger {noted.text('verdict')}."
        )


def refuse_other_yardstick(rule: AuditRule, finding: Finding) -> None:
    """Raises FindingsError for a finding that was judged at another threshold or level than the policy's, or passed
    with figures that are no pass by its rule."""
    if finding.threshold != number(rule.threshold, "threshold"):
        raise FindingsError(f"{rule.audit} was judged at {finding.threshold}; the policy says {rule.threshold}.")
    if finding.verdict is Verdict.PASS and not rule.allows_pass(finding.value, finding.interval, finding.n):
        raise FindingsError(f"{rule.audit} is said to have passed; by the policy's rule ({rule.pass_when}) it did not.")
    level = rule.config.get("level", finding.level)
    if finding.level != level:
        raise FindingsError(f"{rule.audit} was judged at the level {finding.level}; the policy says another.")
