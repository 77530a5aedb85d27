"""Who holds a job, and for how long: the lease is a row, so any worker can see that another one was lost.

A worker writes only while it owns the lease; the heartbeat extends it. Nothing here relies on the broker.
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings

from compliance.ledger.actors import Actor
from compliance.requests import transitions
from compliance.requests.errors import LostLeaseError
from compliance.requests.models import DeletionRequest, Job, Target
from compliance.requests.states import JobState


def new_expiry(now: datetime) -> datetime:
    """When a lease given or extended now runs out."""
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def is_live(job: Job, now: datetime) -> bool:
    """Whether some worker holds the job."""
    return job.state == JobState.RUNNING and job.lease_expires_at is not None and job.lease_expires_at > now


def is_judged(job: Job) -> bool:
    """Whether only the signature is missing. Such a job is never failed: the model has moved on with its result."""
    return job.findings.exists()


def is_exhausted(job: Job) -> bool:
    """Whether it is time to give up."""
    return job.attempt >= settings.JOB_MAX_ATTEMPTS and not is_judged(job)


def held(job_id: uuid.UUID, actor: Actor) -> Job:
    """The job, locked, if this worker still owns it; raises LostLeaseError or NotFoundError.

    A lease that ran out, but that nobody took over, still counts: the result is as good, and no one else is at work.
    """
    job = transitions.locked_job(job_id)
    if job.state != JobState.RUNNING or job.lease_owner != actor.id:
        raise LostLeaseError(f"The job {job_id} is {job.get_state_display()!r} or another worker's. Drop the result.")
    return job


def locked_requests(job: Job) -> list[tuple[Target, DeletionRequest]]:
    """The job's targets with their requests, all locked, in one order for every caller: no two wait for each other."""
    targets = job.targets.select_related("model").order_by("request_id")
    return [(target, transitions.locked(target.request_id)) for target in targets]


def extend(job_id: uuid.UUID, actor: Actor, progress: float, message: str) -> None:
    """Write the heartbeat; raises LostLeaseError when the job is not this worker's any more."""
    now = datetime.now(tz=UTC)
    mine = Job.objects.filter(pk=job_id, state=JobState.RUNNING, lease_owner=actor.id)
    fields = {"heartbeat_at": now, "lease_expires_at": new_expiry(now)}
    if mine.update(progress=min(max(progress, 0.0), 1.0), progress_message=message[:200], **fields) != 1:
        raise LostLeaseError(f"The job {job_id} is another worker's now. Stop working on it.")
