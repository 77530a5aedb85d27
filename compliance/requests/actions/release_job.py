"""A worker gives a job back after an error that may pass: the next one starts it again, a bounded number of times."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import leases
from compliance.requests.actions.fail_job import fail_locked
from compliance.requests.dispatch import after_commit
from compliance.requests.models import Job


@transaction.atomic
def release_job(job_id: uuid.UUID, *, actor: Actor, reason: str, message: str = "") -> None:
    """End the lease now, or fail the job when its attempts are used up. Raises LostLeaseError or NotFoundError."""
    job = leases.held(job_id, actor)
    if leases.is_exhausted(job):
        fail_locked(job, leases.locked_requests(job), actor=actor, reason=reason, message=message)
        return
    Job.objects.filter(pk=job.pk).update(lease_expires_at=datetime.now(tz=UTC), failure=(message or reason)[:300])
    after_commit("run_job", job.pk, job.queue)
