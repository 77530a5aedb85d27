"""Which registered models saw the person, and with how many records: shown before the decision, frozen with it."""

from dataclasses import asdict, dataclass
from typing import Any

from compliance.evidence import commitment
from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.requests import identities
from compliance.requests.models import DeletionRequest


@dataclass(frozen=True, kw_only=True)
class ModelScope:
    """One model's share: how many records, and a commitment to which ones (it opens only with the request's key)."""

    model: str
    n_records: int
    forget_commitment: str


def preview(request: DeletionRequest) -> list[ModelScope]:
    """Every registered model, in name order; n_records is 0 where the person is not present."""
    vault = request.vault
    key = identities.commitment_key(vault)
    return [
        _of_model(model, vault.pseudonym, key)
        for model in RegisteredModel.objects.filter(head__isnull=False).order_by("name")
    ]


def payload(scopes: list[ModelScope]) -> dict[str, Any]:
    """What the scope commitment covers, and what is stored as the request's frozen scope."""
    return {"models": [asdict(scope) for scope in scopes]}


def commit(request: DeletionRequest, scopes: list[ModelScope]) -> str:
    """The keyed commitment to a scope."""
    return commitment.commit(identities.commitment_key(request.vault), "scope", payload(scopes))


def forget_records(model: RegisteredModel, subject_pseudonym: str) -> list[str]:
    """The ids of the person's records that the newest version was trained on, sorted."""
    rows = LineageRecord.objects.filter(model=model, subject_pseudonym=subject_pseudonym, removed_in=None)
    return sorted(rows.values_list("record_id", flat=True))


def _of_model(model: RegisteredModel, subject_pseudonym: str, key: bytes) -> ModelScope:
    records = forget_records(model, subject_pseudonym)
    covered = {"data_source": str(model.data_source_id), "records": records}
    return ModelScope(
        model=str(model.pk),
        n_records=len(records),
        forget_commitment=commitment.commit(key, "forget-set", covered),
    )
