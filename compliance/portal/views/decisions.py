"""What staff do with a request: each view checks a form, makes one domain call, and sends the browser back to the page."""

import uuid
from collections.abc import Callable, Collection
from functools import partial, wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from compliance.ledger.actors import Role, RoleError
from compliance.portal import scope_preview
from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import ApprovalForm, RefusalForm, SignOffForm, WithdrawalForm, form_of
from compliance.portal.request_page import roles_into
from compliance.portal.views.requests import found, show
from compliance.requests import transitions
from compliance.requests.actions.approve import approve as approve_request
from compliance.requests.actions.refuse import refuse as refuse_request
from compliance.requests.actions.retry import retry as retry_request
from compliance.requests.actions.sign_off import sign_off as sign_off_request
from compliance.requests.actions.withdraw import withdraw as withdraw_request
from compliance.requests.errors import NotFoundError, RequestError, ScopeDriftError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState

_APPROVERS = roles_into(RequestState.APPROVED)
_REFUSERS = roles_into(RequestState.REFUSED)
_WITHDRAWERS = roles_into(RequestState.WITHDRAWN)
_RETRIERS = roles_into(RequestState.EXECUTING)
_SIGNERS = roles_into(RequestState.COMPLETED)

RequestView = Callable[[HttpRequest, Viewer, uuid.UUID], HttpResponse]


def posted(view: RequestView) -> RequestView:
    """Let a view act on POST alone. A browser that arrives with GET, say after signing in again, is shown the page."""

    @wraps(view)
    def guarded(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
        if request.method != "POST":
            return redirect("portal:request", request_id)
        return view(request, viewer, request_id)

    return guarded


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

    return _carry_out(request, request_id, decide, "Approved. The scope is frozen and the work is being planned.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_REFUSERS)
@posted
def refuse(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Refuse on a ground of the law."""
    form = form_of(RefusalForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"refuse": form})
    act = partial(_act, refuse_request, request_id, viewer, _REFUSERS, reason=form.cleaned_data["reason"])
    return _carry_out(request, request_id, act, "Refused. The person is being told the reason.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_WITHDRAWERS)
@posted
def withdraw(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Close a request that the person took back."""
    form = form_of(WithdrawalForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"withdraw": form})
    act = partial(_act, withdraw_request, request_id, viewer, _WITHDRAWERS)
    return _carry_out(request, request_id, act, "Withdrawn. The request is closed.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_RETRIERS)
@posted
def retry(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Run the failed work again."""
    act = partial(_act, retry_request, request_id, viewer, _RETRIERS)
    return _carry_out(request, request_id, act, "A new job was made for each model that did not come through.")


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*_SIGNERS)
@posted
def sign_off(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """The second signature. That it is a second person is checked by the action."""
    form = form_of(SignOffForm, request.POST)
    if not form.is_valid():
        return show(request, viewer, found(request_id), forms={"sign_off": form})
    act = partial(_act, sign_off_request, request_id, viewer, _SIGNERS)
    return _carry_out(request, request_id, act, "Signed off. The new versions are in service.")


def _act(
    action: Callable[..., object], request_id: uuid.UUID, viewer: Viewer, roles: Collection[Role], **values: str
) -> None:
    action(request_id, actor=viewer.actor(roles), **values)


def _carry_out(request: HttpRequest, request_id: uuid.UUID, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it, say how it went, and let the browser GET the page: reloading never repeats an act."""
    try:
        act()
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except (RequestError, RoleError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("portal:request", request_id)


def _refuse_other_scope(deletion: DeletionRequest, shown: str) -> None:
    """Raises ScopeDriftError: nobody approves what they did not see. The action refuses a wrong state by itself."""
    if RequestState.APPROVED not in transitions.allowed(deletion):
        return
    scope = scope_preview.preview(deletion)
    if scope.problem:
        raise ScopeDriftError(scope.problem)
    if scope.commitment != shown:
        raise ScopeDriftError(
            "What the models hold of this person changed since the page was shown. Read the scope again, then decide."
        )
