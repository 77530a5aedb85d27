"""The DPO accepts a ground of Art. 17(1) GDPR: what every registered model holds of the person is frozen as the scope.

Models that the law excepts were named before (except_model.py), with their reasons; so were those on hold.

Next: compliance/requests/actions/plan.py
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence.leaf import FactValue
from compliance.ledger.actors import Actor
from compliance.requests import scope, transitions
from compliance.requests.choices import chosen
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import StateError
from compliance.requests.models import DeletionRequest, Ground, SealedNote
from compliance.requests.scope import ModelScope
from compliance.requests.states import RequestState, TargetState

#: What was said of a model that holds nothing any more → the entry that takes it back.
_TAKEN_BACK = {TargetState.EXCEPTED: "request.model_included", TargetState.HELD: "request.model_released"}


@transaction.atomic
def approve(request_id: uuid.UUID, *, actor: Actor, ground: str) -> DeletionRequest:
    """Freeze the scope and make one target a model; raises InvalidInputError, StateError or ForbiddenActorError.

    From `attention` this approves anew what the models hold now, beside what was verified already. A verified model that
    learned the person again begins anew.
    """
    accepted = chosen(Ground, "ground", ground)
    request = transitions.locked(request_id)
    _take_back_what_is_empty(request, actor)
    scopes = scope.current(request)
    if any(share.exception for share in scopes) and not any(share.is_to_be_forgotten for share in scopes):
        raise StateError("Every model that holds the person is excepted: nothing would be deleted. Refuse the request.")
    committed = scope.commit(request, scopes)
    changes = {
        "accepted_ground": accepted,
        "decided_by": actor.id,
        "decided_at": datetime.now(tz=UTC),
        "scope": scope.payload(scopes),
        "scope_commitment": committed,
    }
    facts: dict[str, FactValue] = {
        "ground": accepted.value,
        "scope_commitment": committed,
        "n_targets": sum(share.is_to_be_forgotten for share in scopes),
    }
    transitions.move(request, RequestState.APPROVED, "request.approved", actor=actor, facts=facts, changes=changes)
    _write_targets(request, scopes)
    after_commit("plan", request.pk)
    return request


def _take_back_what_is_empty(request: DeletionRequest, actor: Actor) -> None:
    """Another request may have removed what was excepted or on hold here: nothing is left for which a reason is needed."""
    holding = [uuid.UUID(share.model) for share in scope.current(request) if share.n_records]
    for target in request.targets.filter(state__in=_TAKEN_BACK).exclude(model_id__in=holding):
        event = _TAKEN_BACK[TargetState(target.state)]
        transitions.note(request, event, actor=actor, facts={"model": str(target.model_id)})
        request.notes.filter(kind=SealedNote.Kind.REASONS, model_id=target.model_id).delete()
        transitions.rescope_target(target, 0, target.forget_commitment)


def _write_targets(request: DeletionRequest, scopes: list[ModelScope]) -> None:
    existing = {str(target.model_id): target for target in request.targets.all()}
    for share in scopes:
        target = existing.get(share.model)
        if target is None:
            transitions.new_target(
                request=request,
                model_id=uuid.UUID(share.model),
                n_records=share.n_records,
                forget_commitment=share.forget_commitment,
            )
        elif share.exception:
            transitions.rescope_excepted(target, share)
        elif not scope.is_settled(target) or target.forget_commitment != share.forget_commitment:
            transitions.rescope_target(target, share.n_records, share.forget_commitment)
