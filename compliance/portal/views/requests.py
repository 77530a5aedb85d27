"""The list of requests and the page of one."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.views.decorators.http import require_safe

from compliance.ledger.actors import STAFF_ROLES
from compliance.portal import listing, request_page
from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import focus_on_error
from compliance.portal.listing import Due, Listing
from compliance.portal.narrative import NEEDS_STAFF
from compliance.requests import keyset, queries
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, Target
from compliance.requests.states import TERMINAL, RequestState

_CONCERNED = Prefetch(
    "targets", queryset=Target.objects.filter(n_records__gt=0).select_related("model"), to_attr="concerned"
)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A way to look at the list: what it is called, where it leads, how many requests are behind it."""

    label: str
    address: str
    is_current: bool
    n: int | None = None


@require_safe
@only_for(*STAFF_ROLES)
def requests(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One page at a time: all or those in one state, newest first, or the open ones by due date."""
    now, today = datetime.now(tz=UTC), localdate()
    try:
        view = Listing.from_query(request.GET)
        page = keyset.page(
            view.rows(today).prefetch_related(_CONCERNED),
            view.order,
            after=request.GET.get("after"),
            before=request.GET.get("before"),
        )
    except ValueError as error:
        raise Http404("There is no such view of the list.") from error
    counts, overdue = queries.counts_by_state(), listing.overdue_by_state(today)
    context = {
        "viewer": viewer,
        "section": "requests",
        "page": page,
        "view": view,
        "orders": _orders(view, overdue),
        "states": _states(view, counts),
        "before": view.address(before=page.before) if page.before else "",
        "after": view.address(after=page.after) if page.after else "",
        "first": view.address(),
        "n_all": sum(counts.values()),
        "n_open": sum(n for member, n in counts.items() if member not in TERMINAL),
        "n_overdue": sum(overdue.values()),
        "overdue": Listing(due=Due.OVERDUE).address(),
        "needs_staff": [
            (member, counts[member], view.with_state(member).address()) for member in NEEDS_STAFF if counts[member]
        ],
        "now": now,
        "today": today,
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
    for form in (forms or {}).values():
        focus_on_error(form)
    # A page that reloads would take away what somebody is writing.
    is_reloading = request_page.is_working(deletion) and request.GET.get("reload") != "off" and not forms
    page = request_page.build(deletion, viewer, forms, is_reloading=is_reloading)
    context = {
        "viewer": viewer,
        "section": "requests",
        "page": page,
        "deletion": deletion,
        "reload": is_reloading,
    }
    return render(request, "portal/request.html", context, status=400 if forms else 200)


def _orders(view: Listing, overdue: dict[str, int]) -> list[Filter]:
    def to(label: str, due: Due | None) -> Filter:
        other = view.with_due(due)
        n = None
        if due is Due.OVERDUE:
            n = sum(overdue.values()) if other.state is None else overdue.get(other.state, 0)
        return Filter(label=label, address=other.address(), is_current=view.due is due, n=n)

    return [to("Newest first", None), to("Open, by due date", Due.OPEN), to("Overdue", Due.OVERDUE)]


def _states(view: Listing, counts: dict[str, int]) -> list[Filter]:
    def to(label: str, state: RequestState | None, n: int) -> Filter:
        return Filter(label=label, address=view.with_state(state).address(), is_current=view.state is state, n=n)

    # By due date there are open requests alone.
    states = [member for member in RequestState if view.due is None or member not in TERMINAL]
    everything = to("All" if view.due is None else "All open", None, sum(counts[member] for member in states))
    return [everything, *(to(member.label, member, counts[member]) for member in states)]
