"""Looking for the person in the data sources once more."""

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from compliance.portal.access import Viewer, only_for
from compliance.portal.permissions import SEARCHERS
from compliance.portal.views.posting import act, carry_out, posted
from compliance.requests.actions.search_again import search_again as search


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(*SEARCHERS)
@posted
def search_again(request: HttpRequest, viewer: Viewer, request_id: uuid.UUID) -> HttpResponse:
    """Send a worker to search."""
    do = partial(act, search, request_id, viewer, SEARCHERS)
    return carry_out(request, request_id, do, "A worker is searching. Load this page again in a moment.")
