"""What staff see of each registered model: what it holds of the person, how it would forget, what was decided on it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.portal import permissions
from compliance.portal.access import Viewer
from compliance.portal.forms import ExceptionForm, HoldForm, form_of
from compliance.portal.permissions import ModelActions
from compliance.portal.target_cards import TONES
from compliance.registry.models import RegisteredModel
from compliance.requests import policy, scope
from compliance.requests.errors import PolicyError
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest, Policy, Target
from compliance.requests.scope import ModelScope


@dataclass(frozen=True, kw_only=True)
class ModelPreview:
    """One model: how many of its records are the person's, and the method the policy names; "" where it names none.

    `target` is what was decided or done for this request; None while nothing was.
    """

    model: RegisteredModel
    n_records: int
    is_excepted: bool
    method: str
    target: Target | None
    tone: str
    actions: ModelActions
    except_form: ExceptionForm
    hold_form: HoldForm


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

    @property
    def is_all_excepted(self) -> bool:
        """Whether the law excepts every model that holds the person: there is nothing to approve."""
        holding = [model for model in self.models if model.n_records]
        return bool(holding) and all(model.is_excepted for model in holding)


def current(request: DeletionRequest) -> ScopePreview:
    """The scope as it would be frozen now, without the models; `problem` where it cannot be read. Writes nothing."""
    try:
        return ScopePreview(models=[], commitment=scope.commit(request, scope.current(request)))
    except VaultError as error:
        return ScopePreview(models=[], commitment="", problem=str(error))


def preview(request: DeletionRequest, viewer: Viewer, forms: Mapping[str, Any] | None = None) -> ScopePreview:
    """The scope as it would be frozen now, with what this viewer may do with each model. Writes nothing."""
    try:
        shares = scope.current(request)
        commitment = scope.commit(request, shares)
    except VaultError as error:
        return ScopePreview(models=[], commitment="", problem=str(error))
    rules = _rules(request)
    models = RegisteredModel.objects.select_related("head", "live").in_bulk([share.model for share in shares])
    by_id = {str(model.pk): model for model in models.values()}
    targets = {str(target.model_id): target for target in request.targets.all()}
    rows = [
        _row(request, viewer, share, by_id[share.model], targets.get(share.model), rules, forms or {})
        for share in shares
    ]
    return ScopePreview(models=rows, commitment=commitment)


def form_name(act: str, model_id: uuid.UUID) -> str:
    """Under which name the page keeps the form of an act on one model."""
    return f"{act} {model_id}"


def _row(
    request: DeletionRequest,
    viewer: Viewer,
    share: ModelScope,
    model: RegisteredModel,
    target: Target | None,
    rules: Policy | None,
    forms: Mapping[str, Any],
) -> ModelPreview:
    except_name, hold_name = form_name("except", model.pk), form_name("hold", model.pk)
    return ModelPreview(
        model=model,
        n_records=share.n_records,
        is_excepted=bool(share.exception),
        method=_method(rules, model.family),
        target=target,
        tone="" if target is None else TONES[target.state],
        actions=permissions.model_actions(request, viewer, target, share.n_records),
        except_form=forms.get(except_name) or form_of(ExceptionForm, name=except_name),
        hold_form=forms.get(hold_name) or form_of(HoldForm, name=hold_name),
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
