"""What a data protection officer sees before deciding: per registered model, what would be forgotten, and how."""

from dataclasses import dataclass

from compliance.registry.models import ModelVersion, RegisteredModel
from compliance.requests import policy, scope
from compliance.requests.errors import PolicyError
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest, Policy


@dataclass(frozen=True, kw_only=True)
class ModelPreview:
    """One model: how many of its records are the person's, and the method the policy names; "" where it names none."""

    model: RegisteredModel
    version: ModelVersion | None
    n_records: int
    method: str


@dataclass(frozen=True, kw_only=True)
class ScopePreview:
    """The models, and the commitment to exactly this scope. `problem` says why the scope cannot be shown, or is ""."""

    models: list[ModelPreview]
    commitment: str
    problem: str = ""

    @property
    def n_models(self) -> int:
        """Models that hold at least one record."""
        return sum(1 for model in self.models if model.n_records)

    @property
    def n_records(self) -> int:
        """Records over all models."""
        return sum(model.n_records for model in self.models)


def preview(request: DeletionRequest) -> ScopePreview:
    """The scope as it would be frozen now. Writes nothing."""
    try:
        shares = scope.current(request)
        commitment = scope.commit(request, shares)
    except VaultError as error:
        return ScopePreview(models=[], commitment="", problem=str(error))
    rules = _rules(request)
    models = RegisteredModel.objects.select_related("head").in_bulk([share.model for share in shares])
    by_id = {str(model.pk): model for model in models.values()}
    return ScopePreview(
        models=[
            ModelPreview(
                model=by_id[share.model],
                version=by_id[share.model].head,
                n_records=share.n_records,
                method=_method(rules, by_id[share.model].family),
            )
            for share in shares
        ],
        commitment=commitment,
    )


def _rules(request: DeletionRequest) -> Policy | None:
    try:
        return request.policy or policy.in_force()
    except PolicyError:
        return None


def _method(rules: Policy | None, family: str) -> str:
    try:
        return "" if rules is None else policy.method_for(rules, family).method
    except PolicyError:
        return ""
