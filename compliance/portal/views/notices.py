"""The page of one notice, and what staff record and decide about it."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from compliance.ledger.actors import STAFF_ROLES
from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import focus_on_error, form_of, lines_of
from compliance.portal.recipient_forms import AcknowledgedForm, ImpossibleForm, ToldForm
from compliance.portal.recipients import DECIDERS, TELLERS, acts, notice_row
from compliance.portal.views.returning import carry_out
from compliance.recipients import queries
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_acknowledged import record_acknowledged
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.actions.send_again import send_again
from compliance.requests.errors import NotFoundError

_METHODS = ["GET", "HEAD", "POST"]
_PAGE = "portal:notice"


@require_safe
@only_for(*STAFF_ROLES)
def notice(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID) -> HttpResponse:
    """What one recipient is owed about one request, and what came of it."""
    return _show(request, viewer, notice_id)


@require_http_methods(_METHODS)
@only_for(*TELLERS)
def send_notice(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID) -> HttpResponse:
    """Send it again, to the address that the recipient has now."""
    if request.method != "POST":
        return redirect(_PAGE, notice_id)
    do = partial(send_again, notice_id, actor=viewer.actor(TELLERS))
    return carry_out(request, do, "It is being sent again. Load this page again in a moment.", _PAGE, notice_id)


@require_http_methods(_METHODS)
@only_for(*TELLERS)
def tell(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID) -> HttpResponse:
    """Record that it was told by other means."""

    def record(given: dict[str, Any]) -> object:
        return record_told(notice_id, actor=viewer.actor(TELLERS), **given)

    return _posted(request, viewer, notice_id, ToldForm, record, "Recorded: the recipient was told.")


@require_http_methods(_METHODS)
@only_for(*TELLERS)
def acknowledge(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID) -> HttpResponse:
    """Record an answer that came on paper."""

    def record(given: dict[str, Any]) -> object:
        answer = {"result": given["result"], "document_sha256": given["document_sha256"]}
        return record_acknowledged(notice_id, actor=viewer.actor(TELLERS), reason=given["refusal_reason"], **answer)

    return _posted(request, viewer, notice_id, AcknowledgedForm, record, "Recorded: the recipient answered.")


@require_http_methods(_METHODS)
@only_for(*DECIDERS)
def declare(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID) -> HttpResponse:
    """Decide that it need not be told."""

    def decide(given: dict[str, Any]) -> object:
        words = lines_of(given["words"])
        return declare_impossible(notice_id, actor=viewer.actor(DECIDERS), reason=given["reason"], words=words)

    return _posted(request, viewer, notice_id, ImpossibleForm, decide, "Decided: nothing more is sent.")


def _posted(
    request: HttpRequest,
    viewer: Viewer,
    notice_id: uuid.UUID,
    kind: type[forms.Form],
    do: Callable[[dict[str, Any]], object],
    done: str,
) -> HttpResponse:
    """Act on POST alone, and show the page again with a form that was filled in wrongly."""
    if request.method != "POST":
        return redirect(_PAGE, notice_id)
    form = form_of(kind, request.POST)
    if not form.is_valid():
        return _show(request, viewer, notice_id, form)
    return carry_out(request, partial(do, form.cleaned_data), done, _PAGE, notice_id)


def _show(request: HttpRequest, viewer: Viewer, notice_id: uuid.UUID, form: forms.Form | None = None) -> HttpResponse:
    try:
        found = queries.notice(notice_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    if form is not None:
        focus_on_error(form)
    shown = {
        kind.__name__: form if isinstance(form, kind) else form_of(kind)
        for kind in (ToldForm, AcknowledgedForm, ImpossibleForm)
    }
    context = {
        "viewer": viewer,
        "section": "recipients",
        "row": notice_row(found),
        "acts": acts(found, viewer),
        "told_form": shown["ToldForm"],
        "acknowledged_form": shown["AcknowledgedForm"],
        "impossible_form": shown["ImpossibleForm"],
    }
    return render(request, "portal/notice.html", context)
