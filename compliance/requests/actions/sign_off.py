"""A second person signs: the verified versions go into service, the old weights get a date to be destroyed.

Next: compliance/requests/actions/attach_summary.py
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from compliance.ledger.actors import Actor
from compliance.recipients import pending
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.retirement import retire
from compliance.requests import identities, policy, transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import ForbiddenActorError, NotReadyError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Evidence, Letter
from compliance.requests.states import RequestState, TargetState
from compliance.suppression.actions.suppress import suppress


@transaction.atomic
def sign_off(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Complete the request; raises NotFoundError, StateError, ForbiddenActorError for the person who decided, and
    NotReadyError while a version in service still holds records of the person."""
    request = transitions.locked(request_id)
    if request.state == RequestState.SIGNOFF and actor.id == request.decided_by:
        raise ForbiddenActorError("You approved this request; a second person must sign it off (four eyes).")
    now = datetime.now(tz=UTC)
    _refuse_unfinished(request)
    pending.refuse_unfinished(request)
    passed = _passed(request)
    facts: dict[str, str | int | list[str]] = {
        "evidence": [evidence.leaf_sha256 for evidence in passed],
        "versions": [_after(evidence).sha256 for evidence in passed],
    }
    changes = {"signed_off_by": actor.id, "closed_at": now}
    is_partial = request.targets.filter(state=TargetState.EXCEPTED).exists()
    to = RequestState.PARTLY_COMPLETED if is_partial else RequestState.COMPLETED
    transitions.move(request, to, f"request.{to}", actor=actor, facts=facts, changes=changes)
    keep_days = policy.superseded_weights_days(transitions.policy_of(request))
    for evidence in passed:
        transitions.move_target(evidence.target, TargetState.DEPLOYED)
        _put_into_service(_after(evidence), now + timedelta(days=keep_days))
    _refuse_while_served(request)
    owe(request, Letter.Kind.PARTLY_COMPLETED if is_partial else Letter.Kind.COMPLETED)
    # Whoever was erased must not be trained on again, by data that was copied before or restored after.
    suppress(request.vault.identifier_kind, identities.identifier(request.vault))
    after_commit("summarise", request.pk)
    return request


def _refuse_unfinished(request: DeletionRequest) -> None:
    """The state says so already; it is looked at again because nothing after this can be undone."""
    finished = (TargetState.PASSED, TargetState.NOT_PRESENT, TargetState.EXCEPTED)
    if request.state == RequestState.SIGNOFF and request.targets.exclude(state__in=finished).exists():
        raise NotReadyError("A model of this request is not verified. Ask an administrator: this must not happen.")


def _passed(request: DeletionRequest) -> list[Evidence]:
    """The evidence of the present job of each target that passed: what an earlier job left behind proves nothing."""
    targets = request.targets.filter(state=TargetState.PASSED)
    rows = Evidence.objects.filter(target__in=targets, job=F("target__job")).select_related("target", "job__after")
    found = list(rows.order_by("target_id"))
    if len(found) != targets.count():
        raise NotReadyError("A model passed its audits but its evidence is not attached yet. Try again in a moment.")
    return found


def _after(evidence: Evidence) -> ModelVersion:
    if evidence.job.after is None:
        raise NotReadyError("Evidence without a version: this must not happen. Ask an administrator.")
    return evidence.job.after


def _put_into_service(after: ModelVersion, destroy_after: datetime) -> None:
    """Live is always the newest of the versions signed off: each is built on the one before, so it forgot more."""
    model = RegisteredModel.objects.select_for_update(of=("self",)).select_related("live").get(pk=after.model_id)
    newest = after
    if model.live is not None and model.live.number > after.number:
        newest = model.live
    older = model.versions.filter(number__lt=newest.number, status__in=(VersionState.LIVE, VersionState.CANDIDATE))
    # Also those that passed and still wait for their signature: they know people whom the newest has forgotten.
    retire(older, VersionState.SUPERSEDED, destroy_after)
    model.versions.filter(pk=newest.pk).update(status=VersionState.LIVE)
    RegisteredModel.objects.filter(pk=model.pk).update(live=newest)


def _refuse_while_served(request: DeletionRequest) -> None:
    """Another request of the person may have removed the records in a version that is not in service yet."""
    rows = LineageRecord.objects.filter(
        model__targets__request=request,
        subject_pseudonym=request.vault.pseudonym,
        removed_in__number__gt=F("model__live__number"),
    )
    if rows.exists():
        raise NotReadyError(
            "The version in service still holds records of this person: another request removed them in a newer one, "
            "which is not signed off. Sign that request off first."
        )
