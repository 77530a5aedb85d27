"""Who asks: staff confirm it with their own eyes, and a data protection officer can read it, which the ledger keeps."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import IdentityProofForm, UnveilingForm, form_of
from compliance.portal.permissions import PROVERS, UNVEILERS
from compliance.portal.views.posting import PROBLEMS, act, carry_out, explained, posted
from compliance.portal.views.requests import found, show
from compliance.requests.actions.confirm_identity_manually import confirm_identity_manually
from compliance.requests.actions.unveil import UnveilingReason
from compliance.requests.actions.unveil import unveil as unveil_identity


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*PROVERS)
@posted
def confirm_identity(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Document how the identity was checked; the means give the level."""
    form = form_of(IdentityProofForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"confirm_identity": form})
    do = partial(act, confirm_identity_manually, request_id, viewer, PROVERS, means=form.cleaned_data["means"])
    return carry_out(request, request_id, do, "Recorded. The page shows the level that is proven now.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*UNVEILERS)
@posted
@sensitive_variables("identifier")
def unveil(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Show who asked, once: in this answer and nowhere else. Nothing caches it, and no message or address holds it."""
    form = form_of(UnveilingForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"unveil": form})
    reason = form.cleaned_data["reason"]
    try:
        identifier = unveil_identity(request_id, actor=viewer.actor(UNVEILERS), reason=reason)
    except PROBLEMS as error:
        return explained(request, request_id, error)
    context = {
        "viewer": viewer,
        "section": "requests",
        "request_id": request_id,
        "identifier": identifier,
        "reason": UnveilingReason(reason).label,
    }
    return render(request, "portal/unveiled.html", context)
