"""The registered models, their versions, and the methods and audits that workers have."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.ledger.actors import Role
from compliance.portal.access import Viewer, only_for
from compliance.registry.models import MethodCard, RegisteredModel
from compliance.requests import policy
from compliance.requests.errors import PolicyError

ANY_FAMILY = "any"
_METHODS_FIRST = ("-kind", "name")


@require_safe
@only_for(Role.OPERATOR, Role.DPO)
def models(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every registered model, and the catalogue of methods and audits."""
    context = {
        "viewer": viewer,
        "section": "models",
        "models": RegisteredModel.objects.select_related("live", "head", "data_source"),
        "cards": MethodCard.objects.order_by(*_METHODS_FIRST),
    }
    return render(request, "portal/models.html", context)


@require_safe
@only_for(Role.OPERATOR, Role.DPO)
def model(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """One model: versions, newest first, and what can be done with its family."""
    found = RegisteredModel.objects.select_related("live", "head", "data_source").filter(name=name).first()
    if found is None:
        raise Http404("There is no registered model of this name.")
    context = {
        "viewer": viewer,
        "section": "models",
        "model": found,
        "versions": found.versions.select_related("parent").order_by("-number"),
        "cards": [card for card in MethodCard.objects.order_by(*_METHODS_FIRST) if _suits(card, found.family)],
        "chosen_method": _chosen_method(found.family),
    }
    return render(request, "portal/model.html", context)


def _suits(card: MethodCard, family: str) -> bool:
    families = card.card.get("families", [])
    return family in families or ANY_FAMILY in families


def _chosen_method(family: str) -> str:
    """The method the policy in force names for a family; "" when it names none or cannot be read."""
    try:
        return policy.method_for(policy.in_force(), family).method
    except PolicyError:
        return ""
