"""More time for a request."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import ExtensionForm, form_of
from compliance.portal.permissions import EXTENDERS
from compliance.portal.views.posting import act, carry_out, posted
from compliance.portal.views.requests import found, show
from compliance.requests.actions.extend import extend as extend_request


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*EXTENDERS)
@posted
def extend(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Decide on the extension; the date moves when the person was told."""
    form = form_of(ExtensionForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"extend": form})
    do = partial(act, extend_request, request_id, viewer, EXTENDERS, reason=form.cleaned_data["reason"])
    return carry_out(request, request_id, do, "Extended. The date moves when the notice to the person has gone out.")
