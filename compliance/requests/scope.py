"""Which registered models saw the person, and with how many records: shown before the decision, frozen with it."""

import uuid
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import Any

from compliance.evidence import commitment
from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.requests import identities
from compliance.requests.models import DeletionRequest, Target
from compliance.requests.states import TargetState
from compliance.suppression.registering import hold_registrations

SETTLED = frozenset({TargetState.PASSED, TargetState.DEPLOYED})


@dataclass(frozen=True, kw_only=True)
class ModelScope:
    """One model's share: how many records, and a commitment to which ones (it opens only with the request's key).

    `exception` is the reason of law for which they stay, empty where they are to be forgotten.
    """

    model: str
    n_records: int
    forget_commitment: str
    exception: str = ""

    @property
    def is_to_be_forgotten(self) -> bool:
        """Whether there is something to delete, and nothing against it."""
        return bool(self.n_records) and not self.exception


def preview(request: DeletionRequest) -> list[ModelScope]:
    """Every registered model, in name order; n_records is 0 where the person is not present."""
    vault = request.vault
    key = identities.commitment_key(vault)
    models = RegisteredModel.objects.filter(head__isnull=False).order_by("name")
    rows = LineageRecord.objects.filter(subject_pseudonym=vault.pseudonym, removed_in=None)
    records: dict[uuid.UUID, list[str]] = defaultdict(list)
    for model_id, record_id in rows.values_list("model", "record_id"):
        records[model_id].append(record_id)
    return [_of_records(model, sorted(records[model.pk]), key) for model in models]


def current(request: DeletionRequest) -> list[ModelScope]:
    """The preview with what was decided on each model, and the share approved before where one is verified already.

    A verified target's records are gone from the lineage, but its evidence is about the share it was approved with.
    Where a later version learned the person again, what that one holds counts instead: it has to be forgotten, too.
    """
    targets = {str(target.model_id): target for target in request.targets.all()}
    return [_decided(share, targets.get(share.model)) for share in preview(request)]


def is_settled(target: Target) -> bool:
    """Whether evidence for this target is complete."""
    return target.state in SETTLED


def payload(scopes: list[ModelScope]) -> dict[str, Any]:
    """What the scope commitment covers, and what is stored as the request's frozen scope."""
    return {"models": [_stored(scope) for scope in scopes]}


def commit(request: DeletionRequest, scopes: list[ModelScope]) -> str:
    """The keyed commitment to a scope."""
    return commitment.commit(identities.commitment_key(request.vault), "scope", payload(scopes))


def has_drifted(request: DeletionRequest) -> bool:
    """Whether what the models hold of the person differs from what was approved."""
    return bool(commit(request, current(request)) != request.scope_commitment)


def is_outdated(request: DeletionRequest) -> bool:
    """Whether a model holds records of the person that were not approved as they are, or none where it was excepted.

    Less than `has_drifted`: a model that was registered since the decision and never saw the person takes no new one.
    The answer holds until the transaction ends: no model is registered meanwhile.
    """
    hold_registrations()
    approved = {share["model"]: share for share in (request.scope or {}).get("models", [])}
    return any(
        _stored(share) != approved.get(share.model)
        for share in current(request)
        if share.n_records or "exception" in approved.get(share.model, {})
    )


def target_has_drifted(target: Target) -> bool:
    """The same for one model: another request may have removed the records meanwhile."""
    vault = target.request.vault
    records = forget_records(target.model, vault.pseudonym)
    share = _of_records(target.model, records, identities.commitment_key(vault))
    return share.forget_commitment != target.forget_commitment


def forget_records(model: RegisteredModel, subject_pseudonym: str) -> list[str]:
    """The ids of the person's records that the newest version was trained on, sorted."""
    rows = LineageRecord.objects.filter(model=model, subject_pseudonym=subject_pseudonym, removed_in=None)
    return sorted(rows.values_list("record_id", flat=True))


def _of_records(model: RegisteredModel, records: list[str], key: bytes) -> ModelScope:
    # The model is part of it: two models trained on the same records would else share one commitment.
    covered = {"model": str(model.pk), "data_source": str(model.data_source_id), "records": records}
    return ModelScope(
        model=str(model.pk),
        n_records=len(records),
        forget_commitment=commitment.commit(key, "forget-set", covered),
    )


def _decided(share: ModelScope, target: Target | None) -> ModelScope:
    if target is None:
        return share
    if target.state == TargetState.DEPLOYED or (is_settled(target) and not share.n_records):
        return replace(share, n_records=target.n_records, forget_commitment=target.forget_commitment)
    return replace(share, exception=target.exception if share.n_records else "")


def _stored(share: ModelScope) -> dict[str, Any]:
    return {name: value for name, value in asdict(share).items() if name != "exception" or value}
