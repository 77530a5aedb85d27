"""A job came to an end without a result: the reason is recorded, and the request waits for staff."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.registry.models import ModelVersion, VersionState
from compliance.registry.retirement import retire
from compliance.requests import leases, policy, transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.models import DeletionRequest, Job, Target
from compliance.requests.states import JobState, RequestState, TargetState


@transaction.atomic
def fail_job(job_id: uuid.UUID, *, actor: Actor, reason: str, message: str = "") -> None:
    """`reason` is a code for the ledger, `message` a sentence for staff. Raises LostLeaseError or NotFoundError."""
    job = leases.held(job_id, actor)
    fail_locked(job, leases.locked_requests(job), actor=actor, reason=reason, message=message)


def fail_locked(
    job: Job, held: list[tuple[Target, DeletionRequest]], *, actor: Actor, reason: str, message: str = ""
) -> None:
    """The same for a caller that holds the locks of job and requests."""
    now = datetime.now(tz=UTC)
    transitions.move_job(
        job, JobState.FAILED, failure=(message or reason)[:300], finished_at=now, lease_expires_at=None
    )
    for target, request in held:
        transitions.move_target(target, TargetState.FAILED)
        facts = {"job": str(job.pk), "target": str(target.pk), "reason": reason}
        transitions.note(request, "job.failed", actor=actor, facts=facts)
        _reject_version(job, request, now)
        settle(request, actor=actor, reason="job_failed")
    start_next(job)


def _reject_version(job: Job, request: DeletionRequest, now: datetime) -> None:
    """A version that was made but never judged goes the way of one that failed."""
    if job.after is not None and request.policy is not None:
        versions = ModelVersion.objects.filter(pk=job.after.pk, status=VersionState.CANDIDATE)
        destroy_after = now + timedelta(days=policy.superseded_weights_days(request.policy))
        retire(versions, VersionState.REJECTED, destroy_after)


def settle(request: DeletionRequest, *, actor: Actor, reason: str) -> None:
    """Move a locked request to where its targets' states put it, if that is another state."""
    to = transitions.next_state(request)
    if to == request.state or request.state not in (RequestState.EXECUTING, RequestState.VERIFYING):
        return
    if to == RequestState.ATTENTION:
        transitions.move(request, to, "request.attention", actor=actor, facts={"reason": reason})
    elif to in (RequestState.VERIFYING, RequestState.SIGNOFF):
        transitions.move_on(request, to, actor=actor)


def start_next(job: Job) -> None:
    """The model is free: send the job that waited longest for it."""
    waiting = Job.objects.filter(model=job.model_id, state=JobState.QUEUED).order_by("queued_at", "id").first()
    if waiting is not None:
        after_commit("run_job", waiting.pk, waiting.queue)
