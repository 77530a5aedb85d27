"""A second person signs: the verified versions go into service, the old weights get a date to be destroyed.

Next: compliance/reports/request_bundle.py
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.requests import policy, transitions
from compliance.requests.errors import ForbiddenActorError, NotReadyError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Evidence, Letter
from compliance.requests.states import RequestState, TargetState


@transaction.atomic
def sign_off(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Complete the request; raises NotFoundError, StateError, and ForbiddenActorError for the person who decided."""
    request = transitions.locked(request_id)
    if request.state == RequestState.SIGNOFF and actor.id == request.decided_by:
        raise ForbiddenActorError("You approved this request; a second person must sign it off (four eyes).")
    now = datetime.now(tz=UTC)
    passed = [_evidence_of(request, target_id) for target_id in _passed(request)]
    facts: dict[str, str | int | list[str]] = {
        "evidence": [evidence.leaf_sha256 for evidence in passed],
        "live": [_after(evidence).sha256 for evidence in passed],
    }
    changes = {"signed_off_by": actor.id, "closed_at": now}
    transitions.move(request, RequestState.COMPLETED, "request.completed", actor=actor, facts=facts, changes=changes)
    keep_days = policy.superseded_weights_days(transitions.policy_of(request))
    for evidence in passed:
        transitions.move_target(evidence.target, TargetState.DEPLOYED)
        _put_into_service(_after(evidence), now + timedelta(days=keep_days))
    owe(request, Letter.Kind.COMPLETED)
    return request


def _passed(request: DeletionRequest) -> list[uuid.UUID]:
    return list(request.targets.filter(state=TargetState.PASSED).values_list("pk", flat=True))


def _evidence_of(request: DeletionRequest, target_id: uuid.UUID) -> Evidence:
    rows = Evidence.objects.filter(target_id=target_id).select_related("target__model", "job__after")
    evidence = rows.order_by("-pk").first()
    if evidence is None:
        raise NotReadyError("A model passed its audits but its evidence is not attached yet. Try again in a moment.")
    return evidence


def _after(evidence: Evidence) -> ModelVersion:
    if evidence.job.after is None:
        raise NotReadyError("Evidence without a version: this must not happen. Ask an administrator.")
    return evidence.job.after


def _put_into_service(after: ModelVersion, destroy_after: datetime) -> None:
    """Live is always the newest of the versions signed off: each is built on the one before, so it forgot more."""
    model = RegisteredModel.objects.select_for_update(of=("self",)).select_related("live").get(pk=after.model_id)
    ended = {"status": VersionState.SUPERSEDED, "destroy_after": destroy_after}
    if model.live is not None and model.live.number > after.number:
        ModelVersion.objects.filter(pk=after.pk).update(**ended)
        return
    if model.live is not None:
        ModelVersion.objects.filter(pk=model.live.pk).update(**ended)
    ModelVersion.objects.filter(pk=after.pk).update(status=VersionState.LIVE)
    RegisteredModel.objects.filter(pk=model.pk).update(live=after)
