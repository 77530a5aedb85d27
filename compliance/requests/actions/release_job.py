"""A worker gives a job back after an error that may pass: the next one starts it again, a bounded number of times."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import leases
from compliance.requests.actions.fail_job import fail_locked
from compliance.requests.models import Job

#: Before the second attempt; doubled before each further one, so that a short outage does not use them all up.
FIRST_PAUSE_SECONDS = 5


@transaction.atomic
def release_job(job_id: uuid.UUID, *, actor: Actor, reason: str, message: str = "") -> None:
    """Let the lease end after a pause, or fail the job when its attempts are used up.

    The sweep starts it again once the pause is over. Raises LostLeaseError or NotFoundError.
    """
    job = leases.held(job_id, actor)
    if leases.is_exhausted(job):
        fail_locked(job, leases.locked_requests(job), actor=actor, reason=reason, message=message)
        return
    pause = timedelta(seconds=FIRST_PAUSE_SECONDS * 2 ** min(job.attempt - 1, 8))
    expires_at = datetime.now(tz=UTC) + pause
    Job.objects.filter(pk=job.pk).update(
        # Nobody owns it: a heartbeat that is under way must not lengthen the pause.
        lease_owner=None,
        lease_expires_at=expires_at,
        failure=(message or reason)[:300],
    )
