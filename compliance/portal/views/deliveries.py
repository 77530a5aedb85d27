"""What is sent to other systems: what was given up first, then everything, newest first."""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from compliance.ledger.actors import RoleError
from compliance.outbound import queries
from compliance.outbound.errors import NotFoundError, OutboundError
from compliance.portal.access import Viewer, only_for
from compliance.portal.deliveries import MANAGERS, rows, send_anew
from compliance.requests.errors import RequestError
from compliance.requests.keyset import CursorError, time_in


@require_safe
@only_for(*MANAGERS)
def deliveries(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One page at a time; the alarms stand on the first."""
    after = request.GET.get("after")
    try:
        if after:
            # A zone can push a time out of the calendar, where the database would meet it.
            time_in(after.partition("_")[0])
        page = queries.deliveries(older_than=after)
    except (OutboundError, CursorError) as error:
        raise Http404("There is no such page of the deliveries.") from error
    first = reverse("portal:deliveries")
    context = {
        "viewer": viewer,
        "section": "deliveries",
        "alarms": [] if after else rows(queries.alarms()),
        "rows": rows(page.rows),
        "first": first if after else "",
        "after": f"{first}?{urlencode({'after': page.older_than})}" if page.older_than else "",
    }
    return render(request, "portal/deliveries.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*MANAGERS)
def redeliver(request: HttpRequest, viewer: Viewer, delivery_id: uuid.UUID) -> HttpResponse:
    """Send one that ended anew. A browser that arrives with GET is shown the list."""
    if request.method == "POST":
        try:
            send_anew(delivery_id, actor=viewer.actor(MANAGERS))
        except NotFoundError as error:
            raise Http404(str(error)) from error
        except (OutboundError, RequestError, RoleError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "It is being sent again. Load this page again in a moment.")
    return redirect("portal:deliveries")
