"""The signed statement about one target is attached: its bytes are kept, its digest and signature enter the ledger.

Next: compliance/requests/actions/sign_off.py
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import dsse, verdict
from compliance.evidence.statement import parse_statement
from compliance.ledger.actors import Actor
from compliance.ledger.record import record_evidence
from compliance.requests import leases, transitions
from compliance.requests.actions.fail_job import settle, start_next
from compliance.requests.errors import InvalidInputError, NotFoundError, NotReadyError
from compliance.requests.models import Evidence, Job, Target
from compliance.requests.states import JobState


@transaction.atomic
def attach_evidence(
    job_id: uuid.UUID, *, actor: Actor, target_id: uuid.UUID, envelope: bytes, key_pem: bytes
) -> Evidence:
    """Attach once: a second envelope for the same job and target changes nothing and returns the first.

    Raises LostLeaseError, NotFoundError, NotReadyError, InvalidInputError (another job's statement), EvidenceError.
    """
    job = leases.held(job_id, actor)
    held = {target.pk: (target, request) for target, request in leases.locked_requests(job)}
    if target_id not in held:
        raise NotFoundError(f"The job {job_id} has no target {target_id}.")
    target, request = held[target_id]
    existing = target.evidence.filter(job=job).first()
    if existing is not None:
        return existing
    evidence = _store(job, target, envelope, key_pem)
    if job.evidence.count() == len(held):
        transitions.move_job(
            job, JobState.SUCCEEDED, finished_at=datetime.now(tz=UTC), lease_expires_at=None, progress=1.0
        )
        start_next(job)
    settle(request, actor=actor, reason=f"audit_{target.state}")
    return evidence


def _store(job: Job, target: Target, envelope: bytes, key_pem: bytes) -> Evidence:
    facts = parse_statement(dsse.parse_envelope(envelope).payload)
    if (facts.job_id, facts.target_id) != (str(job.pk), str(target.pk)):
        raise InvalidInputError("The statement is about another job or target than the one it is attached to.")
    recorded = {finding.audit: verdict.Verdict(finding.verdict) for finding in target.findings.filter(job=job)}
    if recorded != {finding.audit: finding.verdict for finding in facts.findings}:
        raise NotReadyError("The statement must carry the findings that were recorded. Record them first.")
    return Evidence.objects.create(
        target=target,
        job=job,
        envelope=envelope,
        # Refuses, inside, an envelope that does not verify under this key.
        leaf_sha256=record_evidence(envelope, key_pem, request_id=target.request_id),
        key_sha256=dsse.public_key_sha256(dsse.load_public_key(key_pem)),
        result=facts.result.value,
        attached_at=datetime.now(tz=UTC),
    )
