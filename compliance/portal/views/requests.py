"""The list of requests and the page of one."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.ledger.actors import STAFF_ROLES
from compliance.portal import keyset, request_page
from compliance.portal.access import Viewer, only_for
from compliance.portal.narrative import NEEDS_STAFF
from compliance.requests import queries
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, Target
from compliance.requests.states import TERMINAL, RequestState

_CONCERNED = Prefetch(
    "targets", queryset=Target.objects.filter(n_records__gt=0).select_related("model"), to_attr="concerned"
)


@require_safe
@only_for(*STAFF_ROLES)
def requests(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Newest first, one page at a time, all or those in one state."""
    state = _state(request.GET.get("state", ""))
    try:
        page = keyset.page(
            queries.listing(state=state).prefetch_related(_CONCERNED),
            older_than=request.GET.get("older_than"),
            newer_than=request.GET.get("newer_than"),
        )
    except keyset.CursorError as error:
        raise Http404(str(error)) from error
    counts = queries.counts_by_state()
    context = {
        "viewer": viewer,
        "section": "requests",
        "page": page,
        "state": state,
        "filters": [(member, counts[member]) for member in RequestState],
        "n_all": sum(counts.values()),
        "n_open": sum(n for member, n in counts.items() if member not in TERMINAL),
        "needs_staff": [(member, counts[member]) for member in NEEDS_STAFF if counts[member]],
        "now": datetime.now(tz=UTC),
    }
    return render(request, "portal/requests.html", context)


@require_safe
@only_for(*STAFF_ROLES)
def request(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """One request: what was asked, where it stands, what can be done, what was done, and the proof."""
    return show(request, viewer, found(request_id))


def found(request_id: uuid.UUID) -> DeletionRequest:
    """The request; a page that says so when there is none."""
    try:
        return queries.detail(request_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error


def show(
    request: HttpRequest,
    viewer: Viewer,
    deletion: DeletionRequest,
    *,
    forms: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page of a request, with blank forms, or (status 400) with one that was filled in wrongly."""
    page = request_page.build(deletion, viewer, forms)
    context = {
        "viewer": viewer,
        "section": "requests",
        "page": page,
        "deletion": deletion,
        "reload": page.is_working and request.GET.get("reload") != "off",
    }
    return render(request, "portal/request.html", context, status=400 if forms else 200)


def _state(text: str) -> RequestState | None:
    if not text:
        return None
    try:
        return RequestState(text)
    except ValueError as error:
        raise Http404("There is no state of this name.") from error
