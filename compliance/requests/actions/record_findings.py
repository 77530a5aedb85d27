"""The audits of one target are recorded, and the policy's rule turns them into a result.

Next: compliance/evidence/statement.py
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from compliance.evidence import attachment, verdict
from compliance.evidence import findings as signed
from compliance.evidence.verdict import Result, Verdict
from compliance.ledger.actors import Actor
from compliance.registry import lineage
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.registry.retirement import retire
from compliance.requests import leases, policy, transitions
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.models import DeletionRequest, Finding, Job, Target
from compliance.requests.states import TargetState


@transaction.atomic
def record_findings(
    job_id: uuid.UUID, *, actor: Actor, target_id: uuid.UUID, findings: Sequence[signed.Finding]
) -> Result:
    """Judge by the policy that was ledgered with the plan; recording again returns the first result.

    A version whose targets all passed becomes the model's head; one that failed is rejected.
    Raises LostLeaseError, NotFoundError, NotReadyError, and FindingsError when the audits are not those of the policy.
    """
    job = leases.held(job_id, actor)
    held = {target.pk: (target, request) for target, request in leases.locked_requests(job)}
    if target_id not in held:
        raise NotFoundError(f"The job {job_id} has no target {target_id}.")
    target, request = held[target_id]
    if job.after is None or request.policy is None:
        raise NotReadyError("Findings need a version to be about. Record the job first.")
    recorded = target.findings.filter(job=job)
    if recorded.exists():
        return _result(request, [signed.Finding.from_dict(finding.result) for finding in recorded])
    result = _result(request, findings)
    _refuse_other_yardsticks(request, findings)
    _store(job, target, findings)
    facts = {
        "job": str(job.pk),
        "target": str(target.pk),
        "findings_sha256": signed.findings_sha256(findings),
        "verdict": result.code,
    }
    transitions.move_target(target, _state_of(result, findings))
    transitions.note(request, "findings.recorded", actor=actor, facts=facts)
    keep_days = policy.superseded_weights_days(request.policy)
    _settle_version(job, [found for found, _ in held.values()], job.after, keep_days)
    return result


def _result(request: DeletionRequest, findings: Sequence[signed.Finding]) -> Result:
    rules = verdict.rules_of(policy.document(transitions.policy_of(request)))
    return verdict.decide(rules, {finding.audit: finding.verdict for finding in findings})


def _refuse_other_yardsticks(request: DeletionRequest, findings: Sequence[signed.Finding]) -> None:
    """What the verifier would refuse is not recorded."""
    rules = {rule.audit: rule for rule in verdict.rules_of(policy.document(transitions.policy_of(request)))}
    for finding in findings:
        attachment.refuse_other_yardstick(rules[finding.audit], finding)


def _state_of(result: Result, findings: Sequence[signed.Finding]) -> TargetState:
    if result is not Result.FAILED:
        return TargetState.PASSED
    is_failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    return TargetState.FAILED if is_failed else TargetState.INCONCLUSIVE


def _store(job: Job, target: Target, findings: Sequence[signed.Finding]) -> None:
    now = datetime.now(tz=UTC)
    Finding.objects.bulk_create(
        Finding(
            target=target,
            job=job,
            audit=finding.audit,
            verdict=finding.verdict.value,
            result=finding.to_dict(),
            recorded_at=now,
        )
        for finding in findings
    )


def _settle_version(job: Job, targets: list[Target], after: ModelVersion, keep_days: int) -> None:
    states = {target.state for target in targets}
    if states == {TargetState.PASSED}:
        # Only a version that passed is built upon: the next job starts from here.
        RegisteredModel.objects.filter(pk=job.model_id).update(head=after)
        for target in targets:
            _leave_lineage(target, after)
    elif TargetState.PRODUCED not in states:
        # Kept for a while, so that staff can look at what failed; then destroyed like superseded weights.
        destroy_after = datetime.now(tz=UTC) + timedelta(days=keep_days)
        retire(ModelVersion.objects.filter(pk=after.pk), VersionState.REJECTED, destroy_after)


def _leave_lineage(target: Target, after: ModelVersion) -> None:
    if lineage.leave(after, target.request.vault.pseudonym) != target.n_records:
        raise NotReadyError("The lineage changed while the findings were recorded. Try again.")
