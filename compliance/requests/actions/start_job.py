"""A worker takes a job, or takes over one whose worker was lost. The start is recorded once, with its challenge.

The challenge is the root of the newest checkpoint, which covers the plan: evidence that carries it cannot have been made
before there was a plan. A job that is taken over keeps the challenge and the version it started from, so that the same job always makes the same version.

Next: ml_core/methods/acu.py
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence.statement import config_sha256
from compliance.ledger import checkpointer
from compliance.ledger.actors import Actor
from compliance.ledger.models import LedgerEntry, PendingEntry, SignedCheckpoint
from compliance.registry.models import MethodCard, RegisteredModel
from compliance.requests import leases, scope, transitions
from compliance.requests.actions.fail_job import fail_locked
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, Job, Target
from compliance.requests.states import JobState, TargetState


@transaction.atomic
def start_job(job_id: uuid.UUID, *, actor: Actor) -> Job | None:
    """The job, now held by `actor`; None when there is nothing for this worker to do.

    That is: it is finished, a live worker holds it, another job of the model runs, or it just failed for good.
    Raises NotFoundError, and NotReadyError while the plan is not under a signed checkpoint.
    """
    job = transitions.locked_job(job_id)
    now = datetime.now(tz=UTC)
    if job.state not in (JobState.QUEUED, JobState.RUNNING) or leases.is_live(job, now):
        return None
    held = _not_on_hold(leases.locked_requests(job))
    # Serialises the claims on one model; the database refuses a second running job in any case.
    RegisteredModel.objects.select_for_update(no_key=True).get(pk=job.model_id)
    if job.state == JobState.QUEUED and Job.objects.filter(model=job.model_id, state=JobState.RUNNING).exists():
        return None
    reason = _why_not(job, [target for target, _ in held])
    if reason:
        fail_locked(job, held, actor=actor, reason=reason)
        return None
    lease = {
        "lease_expires_at": leases.new_expiry(now),
        "heartbeat_at": now,
        "attempt": job.attempt + 1,
        "progress": 0.0,
        "progress_message": "",
    }
    if job.state == JobState.RUNNING:
        transitions.take_over(job, owner=actor.id, **lease)
    else:
        _start(job, held, actor, now, lease)
    return job


def _not_on_hold(held: list[tuple[Target, DeletionRequest]]) -> list[tuple[Target, DeletionRequest]]:
    """The targets as they are now that their requests are locked, without those on which a hold was put meanwhile."""
    for target, _ in held:
        target.refresh_from_db(fields=["state"])
    return [(target, request) for target, request in held if target.state != TargetState.HELD]


def _why_not(job: Job, targets: list[Target]) -> str:
    """A reason code for failing the job before it begins, or nothing."""
    if not targets:
        return "superseded"
    if leases.is_judged(job):
        return ""
    if leases.is_exhausted(job):
        return "worker_lost_repeatedly"
    if MethodCard.objects.filter(kind="method", name=job.method).count() != 1:
        return "method_not_installed"
    if job.state == JobState.QUEUED and any(scope.target_has_drifted(target) for target in targets):
        return "scope_changed"
    return ""


def _start(
    job: Job, held: list[tuple[Target, DeletionRequest]], actor: Actor, now: datetime, lease: dict[str, object]
) -> None:
    checkpoint = _challenge([request for _, request in held])
    model = RegisteredModel.objects.select_related("head").get(pk=job.model_id)
    transitions.move_job(
        job,
        JobState.RUNNING,
        lease_owner=actor.id,
        before=model.head,
        challenge_sha256=checkpoint.root_sha256,
        challenge_log=checkpoint.log_id,
        challenge_size=checkpoint.size,
        started_at=now,
        **lease,
    )
    for target, request in held:
        transitions.move_target(target, TargetState.RUNNING)
        transitions.note(request, "job.started", actor=actor, facts=_facts(job, target))


def _challenge(requests: list[DeletionRequest]) -> SignedCheckpoint:
    """The newest checkpoint; raises NotReadyError while it does not cover the plan of each of these requests."""
    checkpoint = checkpointer.latest()
    ids = {request.pk for request in requests}
    plans = LedgerEntry.objects.filter(request_id__in=ids, event_type="request.planned")
    waiting = PendingEntry.objects.filter(request_id__in=ids, event_type="request.planned")
    planned_at = dict(plans.order_by("position").values_list("request_id", "position"))
    if checkpoint is None or waiting.exists() or set(planned_at) != ids or max(planned_at.values()) >= checkpoint.end:
        raise NotReadyError(
            "The plan is not under a signed checkpoint yet. If this stays, start `manage.py sequencer` and "
            "`checkpointer`; the job then starts by itself."
        )
    return checkpoint


def _facts(job: Job, target: Target) -> dict[str, str | int | list[str]]:
    card = MethodCard.objects.get(kind="method", name=job.method)
    return {
        "job": str(job.pk),
        "target": str(target.pk),
        "model": str(job.model_id),
        "method": job.method,
        "method_version": card.version,
        "config_sha256": config_sha256(job.config),
        "before_sha256": job.before.sha256 if job.before else "",
        "challenge_sha256": job.challenge_sha256,
        "attempt": job.number,
    }
