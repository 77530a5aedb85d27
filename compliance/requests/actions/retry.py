"""Staff let the work that failed be done again: a new job for each model that did not come through."""

import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import scope, transitions
from compliance.requests.actions.plan import new_job
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import StateError
from compliance.requests.models import DeletionRequest, Job
from compliance.requests.states import RequestState, TargetState

#: Queued without work ahead: a hold that was lifted while the request needed attention.
RETRYABLE = (TargetState.FAILED, TargetState.INCONCLUSIVE, TargetState.QUEUED)


@transaction.atomic
def retry(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """From `attention` back to work; raises NotFoundError, StateError, ForbiddenActorError or PolicyError.

    When the scope changed instead of a job failing, nothing is to be repeated: the DPO approves the new scope.
    """
    request = transitions.locked(request_id)
    rules = request.policy
    targets = list(request.targets.filter(state__in=RETRYABLE).select_related("model", "job"))
    if request.state != RequestState.ATTENTION:
        raise StateError(f"The request is {request.get_state_display()!r}: there is nothing to repeat.")
    if rules is None or not targets:
        raise StateError("No job of this request failed. Approve it again: the scope or the policy is what changed.")
    if scope.has_drifted(request):
        raise StateError(
            "What the models hold, or what was decided on them, is not what was approved. Approve it anew."
        )
    for target in targets:
        if target.state != TargetState.QUEUED:
            transitions.move_target(target, TargetState.QUEUED)
        record_new_job(request, actor, new_job(target, rules))
    return request


def record_new_job(request: DeletionRequest, actor: Actor, job: Job) -> None:
    """Record a job that the plan did not name, and send it after commit. The request is `executing` then."""
    facts = {"job": str(job.pk)}
    if request.state == RequestState.EXECUTING:
        transitions.note(request, "request.retried", actor=actor, facts=facts)
    else:
        transitions.move(request, RequestState.EXECUTING, "request.retried", actor=actor, facts=facts)
    after_commit("run_job", job.pk, job.queue)
