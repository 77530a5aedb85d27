"""Models that must not be changed for now."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import HoldForm, form_of
from compliance.portal.permissions import HOLDERS
from compliance.portal.scope_preview import form_name
from compliance.portal.views.posting import act, carry_out, posted
from compliance.portal.views.requests import found, show
from compliance.requests.actions.hold_model import hold_model as hold_one
from compliance.requests.actions.release_model import release_model as release_one


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*HOLDERS)
@posted
def hold_model(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID, model_id: uuid.UUID) -> HttpResponse:
    """Keep one model as it is until the hold is lifted."""
    name = form_name("hold", model_id)
    form = form_of(HoldForm, request.POST, name=name)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={name: form})
    do = partial(act, hold_one, request_id, viewer, HOLDERS, model_id=model_id, reason=form.cleaned_data["reason"])
    return carry_out(request, request_id, do, "On hold. The request waits for this model until the hold is lifted.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*HOLDERS)
@posted
def release_model(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID, model_id: uuid.UUID) -> HttpResponse:
    """Lift the hold."""
    do = partial(act, release_one, request_id, viewer, HOLDERS, model_id=model_id)
    return carry_out(request, request_id, do, "Released. The model is changed with the others.")
