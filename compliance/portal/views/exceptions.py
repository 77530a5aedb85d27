"""What the law lets single models keep."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import ExceptionForm, form_of, lines_of
from compliance.portal.permissions import EXCEPTERS
from compliance.portal.scope_preview import form_name
from compliance.portal.views.posting import act, carry_out, posted
from compliance.portal.views.requests import found, show
from compliance.requests.actions.except_model import except_model as except_one
from compliance.requests.actions.include_model import include_model as include_one


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*EXCEPTERS)
@posted
def except_model(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID, model_id: uuid.UUID) -> HttpResponse:
    """Except one model, for a reason that the law gives."""
    name = form_name("except", model_id)
    form = form_of(ExceptionForm, request.POST, name=name)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={name: form})
    given = {"reason": form.cleaned_data["reason"], "words": lines_of(form.cleaned_data["words"])}
    do = partial(act, except_one, request_id, viewer, EXCEPTERS, model_id=model_id, **given)
    return carry_out(request, request_id, do, "Excepted. The model keeps what it learned, and the person is told why.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*EXCEPTERS)
@posted
def include_model(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID, model_id: uuid.UUID) -> HttpResponse:
    """Take an exception back."""
    do = partial(act, include_one, request_id, viewer, EXCEPTERS, model_id=model_id)
    return carry_out(request, request_id, do, "Taken back. The model is to forget the person after all.")
