"""Approving, refusing, withdrawing, repeating, signing: each view checks a form and makes one domain call."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal import scope_preview
from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import ApprovalForm, RefusalForm, SignOffForm, WithdrawalForm, form_of, lines_of
from compliance.portal.permissions import roles_for
from compliance.portal.views.posting import act, carry_out, posted
from compliance.portal.views.requests import found, show
from compliance.requests import transitions
from compliance.requests.actions.approve import approve as approve_request
from compliance.requests.actions.refuse import refuse as refuse_request
from compliance.requests.actions.retry import retry as retry_request
from compliance.requests.actions.sign_off import sign_off as sign_off_request
from compliance.requests.actions.withdraw import withdraw as withdraw_request
from compliance.requests.errors import ScopeDriftError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

_APPROVERS = roles_for("request.approved")
_REFUSERS = roles_for("request.refused")
_WITHDRAWERS = roles_for("request.withdrawn")
_RETRIERS = roles_for("request.retried")
_SIGNERS = roles_for("request.completed", "request.partly_completed")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_APPROVERS)
@posted
def approve(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Accept a ground for exactly the scope that was on the page."""
    deletion = found(request_id)
    form = form_of(ApprovalForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, deletion, forms={"approve": form})
    ground, shown = form.cleaned_data["ground"], request.POST.get("scope", "")

    def decide() -> None:
        _refuse_other_scope(deletion, shown)
        approve_request(request_id, actor=viewer.actor(_APPROVERS), ground=ground)

    return carry_out(request, request_id, decide, "Approved. The scope is frozen and the work is being planned.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_REFUSERS)
@posted
def refuse(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Refuse on a ground of the law."""
    form = form_of(RefusalForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"refuse": form})
    given = {"reason": form.cleaned_data["reason"], "words": lines_of(form.cleaned_data["words"])}
    do = partial(act, refuse_request, request_id, viewer, _REFUSERS, **given)
    return carry_out(request, request_id, do, "Refused. The person is being told the reason.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_WITHDRAWERS)
@posted
def withdraw(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Close a request that the person took back."""
    form = form_of(WithdrawalForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"withdraw": form})
    do = partial(act, withdraw_request, request_id, viewer, _WITHDRAWERS)
    return carry_out(request, request_id, do, "Withdrawn. The request is closed.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_RETRIERS)
@posted
def retry(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Run the failed work again."""
    do = partial(act, retry_request, request_id, viewer, _RETRIERS)
    return carry_out(request, request_id, do, "A new job was made for each model that did not come through.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_SIGNERS)
@posted
def sign_off(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """The second signature. That it is a second person is checked by the action."""
    form = form_of(SignOffForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"sign_off": form})
    do = partial(act, sign_off_request, request_id, viewer, _SIGNERS)
    return carry_out(request, request_id, do, "Signed off. The new versions are in service.")


def _refuse_other_scope(deletion: DeletionRequest, shown: str) -> None:
    """Raises ScopeDriftError: nobody approves what they did not see. The action refuses a wrong state by itself."""
    if RequestState.APPROVED not in transitions.allowed(deletion):
        return
    scope = scope_preview.current(deletion)
    if scope.problem:
        raise ScopeDriftError(scope.problem)
    if scope.commitment != shown:
        raise ScopeDriftError(
            "What the models hold of this person changed since the page was shown, or what is excepted did. "
            "Read the scope again, then decide."
        )
