"""The system turns an approval into jobs, under a policy whose digest stands in the ledger before any of them starts.

Next: compliance/requests/dispatch.py
"""

import uuid

from django.db import transaction

from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.registry.models import MethodCard
from compliance.requests import policy, scope, transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import NotReadyError, PolicyError
from compliance.requests.models import DeletionRequest, Job, Policy, Target
from compliance.requests.policy import MethodChoice
from compliance.requests.states import RequestState, TargetState


@transaction.atomic
def plan(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """One job for each model that holds the person; a request that is not `approved` (any more) is left alone.

    Where the plan cannot be made as approved, the request goes to `attention` with the reason. Raises NotFoundError,
    and NotReadyError while no worker has published its methods.
    """
    request = transitions.locked(request_id)
    if request.state != RequestState.APPROVED:
        return request
    if scope.has_drifted(request):
        return _raise_attention(request, actor, "scope_changed")
    waiting = list(request.targets.filter(state=TargetState.QUEUED).select_related("model", "job"))
    if waiting and not MethodCard.objects.filter(kind="method").exists():
        raise NotReadyError("No worker has published its methods yet. Start a worker; the plan is then made by itself.")
    try:
        rules = _policy_for(request)
        choices = [(target, policy.method_for(rules, target.model.family)) for target in waiting]
    except PolicyError:
        return _raise_attention(request, actor, "no_method_in_policy")
    if any(_card(choice) is None for _, choice in choices):
        return _raise_attention(request, actor, "method_not_installed")
    if waiting and not policy.audits_of(rules) <= _installed_audits():
        return _raise_attention(request, actor, "audit_not_installed")
    return _record(request, actor, rules, [_new_job(target, choice) for target, choice in choices])


def _policy_for(request: DeletionRequest) -> Policy:
    """The policy in force, unless a model was verified under an earlier one: one policy judges the whole request."""
    is_begun = request.targets.filter(state__in=scope.SETTLED).exists()
    return request.policy if request.policy is not None and is_begun else policy.current()


def new_job(target: Target, rules: Policy) -> Job:
    """A job for one target by the policy; raises PolicyError when it names no method for the family."""
    return _new_job(target, policy.method_for(rules, target.model.family))


def _record(request: DeletionRequest, actor: Actor, rules: Policy, jobs: list[Job]) -> DeletionRequest:
    to = RequestState.EXECUTING if jobs else transitions.next_state(request)
    if to == RequestState.ATTENTION:
        return _raise_attention(request, actor, "job_failed")
    facts: dict[str, FactValue] = {"policy_sha256": rules.sha256, "jobs": [str(job.pk) for job in jobs]}
    transitions.move(request, to, "request.planned", actor=actor, facts=facts, changes={"policy": rules})
    for job in jobs:
        after_commit("run_job", job.pk, job.queue)
    return request


def _new_job(target: Target, choice: MethodChoice) -> Job:
    card = _card(choice)
    schema = card.card["config_schema"] if card is not None else []
    needs = card.card["needs"] if card is not None else []
    job = transitions.new_job(
        model=target.model,
        method=choice.method,
        # Defaults written out: the ledger names the digest of everything the method was run with.
        config={entry["name"]: entry["default"] for entry in schema} | choice.config,
        queue="gpu" if "gradients" in needs else "cpu",
        number=1 if target.job is None else target.job.number + 1,
    )
    Target.objects.filter(pk=target.pk).update(job=job)
    return job


def _card(choice: MethodChoice) -> MethodCard | None:
    return MethodCard.objects.filter(kind="method", name=choice.method).first()


def _installed_audits() -> set[str]:
    return set(MethodCard.objects.filter(kind="audit").values_list("name", flat=True))


def _raise_attention(request: DeletionRequest, actor: Actor, reason: str) -> DeletionRequest:
    transitions.move(request, RequestState.ATTENTION, "request.attention", actor=actor, facts={"reason": reason})
    return request
