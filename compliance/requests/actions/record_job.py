"""The method ran: its result is recorded as a candidate version, named by the digest of its manifest."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.registry.models import ModelVersion, VersionState
from compliance.requests import leases, transitions
from compliance.requests.errors import StateError
from compliance.requests.models import DeletionRequest, Job, Target
from compliance.requests.states import RequestState, TargetState


@transaction.atomic
def record_job(job_id: uuid.UUID, *, actor: Actor, manifest: bytes, assurance: str, outcome: Mapping[str, Any]) -> Job:
    """Store the version that the job made. The same digest again changes nothing; another one is refused.

    Raises LostLeaseError, NotFoundError, and StateError when the method left the weights as they were.
    """
    job = leases.held(job_id, actor)
    digest = sha256(manifest).hexdigest()
    if job.after is not None:
        if job.after.sha256 != digest:
            raise StateError("The job made another version than before; it must be deterministic. Report the method.")
        return job
    if job.before is None or job.before.sha256 == digest:
        raise StateError("The method left the weights as they were although there were records to forget.")
    held = leases.locked_requests(job)
    after = _candidate(job, job.before, manifest, digest, sum(target.n_records for target, _ in held))
    Job.objects.filter(pk=job.pk).update(after=after, outcome={"assurance": assurance, **outcome})
    job.refresh_from_db()
    for target, request in held:
        transitions.move_target(target, TargetState.PRODUCED)
        _record(job, target, request, actor, assurance)
    return job


def _candidate(job: Job, before: ModelVersion, manifest: bytes, digest: str, n_forget: int) -> ModelVersion:
    versions = ModelVersion.objects.filter(model=job.model_id)
    # Locked: its destruction may be under way.
    again = versions.select_for_update(of=("self",), no_key=True).filter(sha256=digest).first()
    if again is not None:
        # A retry of the same method on the same version makes the same bytes: the row is judged anew.
        if again.status not in (VersionState.REJECTED, VersionState.DESTROYED) or again.children.exists():
            raise StateError("The method made a version that is in use already. Report the method.")
        fresh = {"destroy_after": None, "destroyed_at": None}
        versions.filter(pk=again.pk).update(status=VersionState.CANDIDATE, job_id=job.pk, **fresh)
        return again
    last = versions.order_by("-number").first()
    return ModelVersion.objects.create(
        model=job.model,
        number=1 if last is None else last.number + 1,
        sha256=digest,
        manifest=manifest,
        parent=before,
        status=VersionState.CANDIDATE,
        n_records=before.n_records - n_forget,
        commitment_key=b"",
        job_id=job.pk,
        registered_at=datetime.now(tz=UTC),
    )


def _record(job: Job, target: Target, request: DeletionRequest, actor: Actor, assurance: str) -> None:
    facts = {
        "job": str(job.pk),
        "target": str(target.pk),
        "before_sha256": job.before.sha256 if job.before else "",
        "after_sha256": job.after.sha256 if job.after else "",
        "assurance": assurance,
    }
    to = transitions.next_state(request)
    if request.state == RequestState.EXECUTING and to == RequestState.VERIFYING:
        transitions.move(request, to, "job.recorded", actor=actor, facts=facts)
    else:
        transitions.note(request, "job.recorded", actor=actor, facts=facts)
