"""The register of recipients, the page of one, and keeping it."""

import uuid
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from compliance.ledger.actors import STAFF_ROLES
from compliance.portal.access import Viewer, only_for
from compliance.portal.forms import focus_on_error, form_of
from compliance.portal.recipient_forms import DetailsForm, RecipientForm, RetirementForm, initial_of
from compliance.portal.recipients import KEEPERS, notice_rows, recipient_row
from compliance.portal.views.posting import PROBLEMS
from compliance.portal.views.returning import carry_out
from compliance.recipients import pending, queries
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.retire_recipient import retire_recipient
from compliance.requests.errors import InvalidInputError, NotFoundError

PAGE_ROWS = 25
MOST_WAITING = 25
_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@only_for(*STAFF_ROLES)
def recipients(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """By name, page by page; what waits for staff stands on the first."""
    return _show_all(request, viewer, form_of(RecipientForm))


@require_http_methods(_METHODS)
@only_for(*KEEPERS)
def register(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """A new recipient. A browser that arrives with GET is shown the register."""
    if request.method != "POST":
        return redirect("portal:recipients")
    form = form_of(RecipientForm, request.POST)
    if form.is_valid():
        try:
            made = register_recipient(form.cleaned_data["name"], form.details(), actor=viewer.actor(KEEPERS))
        except PROBLEMS as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Registered: {made.name} is told from now on.")
            return redirect("portal:recipient", made.pk)
    return _show_all(request, viewer, form)


@require_safe
@only_for(*STAFF_ROLES)
def recipient(request: HttpRequest, viewer: Viewer, recipient_id: uuid.UUID) -> HttpResponse:
    """What it was given, how it is told, and its notices, newest first."""
    return _show_one(request, viewer, recipient_id)


@require_http_methods(_METHODS)
@only_for(*KEEPERS)
def change(request: HttpRequest, viewer: Viewer, recipient_id: uuid.UUID) -> HttpResponse:
    """What is known of it from now on."""
    if request.method != "POST":
        return redirect("portal:recipient", recipient_id)
    form = form_of(DetailsForm, request.POST)
    if not form.is_valid():
        return _show_one(request, viewer, recipient_id, form=form)
    try:
        change_recipient(recipient_id, form.details(), actor=viewer.actor(KEEPERS))
    except InvalidInputError as error:
        form.add_error(None, str(error))
        return _show_one(request, viewer, recipient_id, form=form)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except PROBLEMS as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Changed. A new address is used at once, also for what is owed.")
    return redirect("portal:recipient", recipient_id)


@require_http_methods(_METHODS)
@only_for(*KEEPERS)
def retire(request: HttpRequest, viewer: Viewer, recipient_id: uuid.UUID) -> HttpResponse:
    """Owe it nothing new, for good."""
    if request.method != "POST":
        return redirect("portal:recipient", recipient_id)
    form = form_of(RetirementForm, request.POST)
    if not form.is_valid():
        return _show_one(request, viewer, recipient_id, retirement=form)
    do = partial(retire_recipient, recipient_id, actor=viewer.actor(KEEPERS))
    return carry_out(request, do, "Retired. What it is owed stays owed.", "portal:recipient", recipient_id)


def _show_all(request: HttpRequest, viewer: Viewer, form: RecipientForm) -> HttpResponse:
    after = _place(request)
    try:
        page = queries.recipients(after=after, n_rows=PAGE_ROWS)
    except InvalidInputError as error:
        raise Http404("There is no such page of the recipients.") from error
    focus_on_error(form)
    first = reverse("portal:recipients")
    waiting = [] if after else list(pending.undecided().prefetch_related("models")[: MOST_WAITING + 1])
    context = {
        "viewer": viewer,
        "section": "recipients",
        "waiting": notice_rows(waiting[:MOST_WAITING]),
        "is_more_waiting": len(waiting) > MOST_WAITING,
        "rows": [recipient_row(row) for row in page.rows],
        "form": form if viewer.has_any(KEEPERS) else None,
        **_pager(first, after, page.after),
    }
    return render(request, "portal/recipients.html", context)


def _show_one(
    request: HttpRequest,
    viewer: Viewer,
    recipient_id: uuid.UUID,
    *,
    form: DetailsForm | None = None,
    retirement: RetirementForm | None = None,
) -> HttpResponse:
    after = _place(request)
    try:
        found = queries.recipient(recipient_id)
        page = queries.notices_of_recipient(recipient_id, after=after, n_rows=PAGE_ROWS)
    except (NotFoundError, InvalidInputError) as error:
        raise Http404("There is no such recipient, or no such page of its notices.") from error
    may_keep = viewer.has_any(KEEPERS) and found.is_active
    blank = DetailsForm(initial=initial_of(found), auto_id="detailsform-%s", label_suffix="") if may_keep else None
    for filled_in in filter(None, (form, retirement)):
        focus_on_error(filled_in)
    context = {
        "viewer": viewer,
        "section": "recipients",
        "row": recipient_row(found),
        "notices": notice_rows(page.rows),
        "form": (form or blank) if may_keep else None,
        "retirement": (retirement or form_of(RetirementForm)) if may_keep else None,
        **_pager(reverse("portal:recipient", args=[recipient_id]), after, page.after),
    }
    return render(request, "portal/recipient.html", context)


def _place(request: HttpRequest) -> uuid.UUID | None:
    """The page that the address asks for; raises Http404."""
    text = request.GET.get("after")
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise Http404("There is no such page.") from error


def _pager(first: str, here: uuid.UUID | None, after: uuid.UUID | None) -> dict[str, Any]:
    following = f"{first}?{urlencode({'after': after})}" if after else ""
    return {"first": first if here else "", "after": following}
