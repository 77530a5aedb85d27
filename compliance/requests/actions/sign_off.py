"""A second person signs: versions without the person go into service, the old weights get a date to be destroyed.

Next: compliance/requests/actions/attach_summary.py
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from compliance.evidence.completion import versions_that_passed
from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.recipients import pending
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.retirement import retire
from compliance.requests import identities, policy, queries, scope, transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import ForbiddenActorError, NotReadyError, ScopeDriftError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Evidence, Job, Letter
from compliance.requests.states import JobState, RequestState, TargetState
from compliance.suppression.actions.suppress import suppress


def sign_off(request_id: uuid.UUID, *, actor: Actor) -> DeletionRequest:
    """Complete the request; raises NotFoundError, StateError, ForbiddenActorError for a person who decided, and
    NotReadyError.

    Where a model holds what nobody decided on, the request goes to `attention` instead, to be approved anew. That is
    told by ScopeDriftError, raised after the commit: raising must not take the move back.
    """
    request = _sign(request_id, actor)
    if request.state == RequestState.ATTENTION:
        raise ScopeDriftError(
            "Not signed off: what the models hold of this person is no longer what was approved. A model was registered "
            "or changed since. The request needs attention now: a data protection officer approves the new scope, or "
            "excepts the model, and the work goes on from there. What was verified stays verified."
        )
    return request


def deciders(request: DeletionRequest) -> frozenset[uuid.UUID]:
    """Who may not sign: whoever approved, and whoever excepted a model that is still excepted (four eyes)."""
    kept = {str(model) for model in _excepted(request)}
    excepted_by = {}
    for entry in queries.timeline(request.pk) if kept else ():
        if entry.event_type == "request.model_excepted":
            excepted_by[entry.facts["model"]] = uuid.UUID(entry.actor_id)
    excepters = {actor for model, actor in excepted_by.items() if model in kept}
    return frozenset(excepters if request.decided_by is None else {*excepters, request.decided_by})


@transaction.atomic
def _sign(request_id: uuid.UUID, actor: Actor) -> DeletionRequest:
    request = transitions.locked(request_id)
    if request.state == RequestState.SIGNOFF:
        _refuse_decider(request, actor)
        _refuse_unfinished(request)
        if scope.is_outdated(request):
            facts: dict[str, FactValue] = {"reason": "scope_changed"}
            transitions.move(request, RequestState.ATTENTION, "request.attention", actor=actor, facts=facts)
            return request
        pending.refuse_unfinished(request)
        # Whoever was erased must not be trained on again, by data that was copied before or restored after. Before any
        # model is locked: registrations wait in this order, too.
        suppress(request.vault.identifier_kind, identities.identifier(request.vault))
    _complete(request, _passed(request), actor)
    after_commit("summarise", request.pk)
    return request


def _refuse_decider(request: DeletionRequest, actor: Actor) -> None:
    if actor.id in deciders(request):
        raise ForbiddenActorError(
            "You approved this request, or excepted a model from it; a second person must sign it off (four eyes)."
        )


def _refuse_unfinished(request: DeletionRequest) -> None:
    """The state says so already; it is looked at again because nothing after this can be undone."""
    finished = (TargetState.PASSED, TargetState.NOT_PRESENT, TargetState.EXCEPTED)
    if request.targets.exclude(state__in=finished).exists():
        raise NotReadyError("A model of this request is not verified. Ask an administrator: this must not happen.")


def _excepted(request: DeletionRequest) -> Iterable[uuid.UUID]:
    return request.targets.filter(state=TargetState.EXCEPTED).values_list("model_id", flat=True)


def _passed(request: DeletionRequest) -> list[Evidence]:
    """The evidence of the present job of each target that passed: what an earlier job left behind proves nothing."""
    targets = request.targets.filter(state=TargetState.PASSED)
    rows = Evidence.objects.filter(target__in=targets, job=F("target__job")).select_related("target", "job__after")
    found = list(rows.order_by("target_id"))
    if len(found) != targets.count():
        raise NotReadyError("A model passed its audits but its evidence is not attached yet. Try again in a moment.")
    return found


def _complete(request: DeletionRequest, passed: list[Evidence], actor: Actor) -> None:
    now = datetime.now(tz=UTC)
    made = [_after(evidence) for evidence in passed]
    # In any other state the move is refused.
    to_be_served = _to_be_served(request, made) if request.state == RequestState.SIGNOFF else []
    facts: dict[str, FactValue] = {
        "evidence": [evidence.leaf_sha256 for evidence in passed],
        "versions": [version.sha256 for version in made] + _versions_beside(request, made, to_be_served),
    }
    changes = {"signed_off_by": actor.id, "closed_at": now}
    is_partial = bool(_excepted(request))
    to = RequestState.PARTLY_COMPLETED if is_partial else RequestState.COMPLETED
    transitions.move(request, to, f"request.{to}", actor=actor, facts=facts, changes=changes)
    for evidence in passed:
        transitions.move_target(evidence.target, TargetState.DEPLOYED)
    keep_days = policy.superseded_weights_days(transitions.policy_of(request))
    for version in to_be_served:
        _serve(version, now + timedelta(days=keep_days))
    owe(request, Letter.Kind.PARTLY_COMPLETED if is_partial else Letter.Kind.COMPLETED)


def _after(evidence: Evidence) -> ModelVersion:
    if evidence.job.after is None:
        raise NotReadyError("Evidence without a version: this must not happen. Ask an administrator.")
    return evidence.job.after


def _versions_beside(request: DeletionRequest, made: list[ModelVersion], served: list[ModelVersion]) -> list[str]:
    """What the entry names besides the versions with evidence in the rows: whatever else goes into service with it, so
    that the ledger alone tells what serves; and what the request made before a restore, whose evidence did not come back.
    """
    told = {version.sha256 for version in made}
    entries = ((entry.event_type, entry.facts) for entry in queries.timeline(request.pk))
    beside = {version.sha256 for version in served} | versions_that_passed(entries)
    return sorted(beside - told)


def _to_be_served(request: DeletionRequest, made: list[ModelVersion]) -> list[ModelVersion]:
    """Of each model that the person was in, the newest version in which records of theirs went, unless one as new serves.

    That may be one that another request made, of the same person or of somebody who shares a record, and that still
    waits for the signature there. The completion says that nothing in service knows the person, so the version must
    serve now. To wait for the other signature instead would let two requests, each with a version that the other needs,
    wait for each other for ever. To sign the other request as well would sign what nobody read. So the version serves
    on the strength of its own evidence, and the other request claims nothing until it is signed.
    """
    gone = LineageRecord.objects.filter(subject_pseudonym=request.vault.pseudonym).exclude(removed_in=None)
    concerned = {version.model_id for version in made} | set(gone.values_list("model_id", flat=True))
    # In one order, so that no two signatures wait for each other; and without a join, for after a wait the row of the
    # version that was in service before would be read with it.
    locked = RegisteredModel.objects.select_for_update(no_key=True).filter(pk__in=concerned).order_by("pk")
    found = []
    for model in locked:
        own = [version for version in made if version.model_id == model.pk]
        left_in = ModelVersion.objects.filter(pk__in=gone.filter(model=model).values("removed_in"))
        newest = max((*own, *left_in), key=lambda version: version.number)
        # A model that was taken out of service stays so, unless this request made a version for it.
        is_newer = bool(own) if model.live is None else newest.number > model.live.number
        if is_newer:
            _refuse_unproven(newest)
            found.append(newest)
    return found


def _refuse_unproven(version: ModelVersion) -> None:
    """A job is finished when its evidence is signed; lineage goes by its findings already."""
    job = Job.objects.filter(pk=version.job_id).first() if version.job_id else None
    if job is None or job.state != JobState.SUCCEEDED:
        raise NotReadyError(
            "The version in service still holds records of this person. A newer one without them was made for another "
            "request, and its evidence is not attached yet. Try again in a moment."
        )


def _serve(version: ModelVersion, destroy_after: datetime) -> None:
    """Live is always the newest of the versions released: each is built on the one before, so it forgot more."""
    versions = ModelVersion.objects.filter(model=version.model_id)
    older = versions.filter(number__lt=version.number, status__in=(VersionState.LIVE, VersionState.CANDIDATE))
    # Also those that passed and still wait for their signature: they know people whom the newest has forgotten.
    retire(older, VersionState.SUPERSEDED, destroy_after)
    versions.filter(pk=version.pk).update(status=VersionState.LIVE)
    RegisteredModel.objects.filter(pk=version.model_id).update(live=version)
