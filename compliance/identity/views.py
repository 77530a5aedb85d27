"""Signing in at the identity provider: the way there, and the way back.

Only a browser that has opened the request with its status token gets anywhere (browser_session.py). What the provider
is told of the way back is one address; which request it is about stays in the session.
"""

import uuid

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from compliance.identity import proving
from compliance.identity.browser_session import opened
from compliance.identity.errors import NotOfferedError
from compliance.identity.openid import sign_in
from compliance.ledger.actors import subject_of
from compliance.requests.actions.confirm_by_sign_in import confirm_by_sign_in
from compliance.requests.errors import IdentityError, RequestError

_SESSION_KEY = "oidc_sign_in"
_NOT_OPENED = "Open your request with its status token first, in this browser, and then sign in."
_NOT_BEGUN = "This browser has not begun to sign in, or that was too long ago. Begin again at your request."


@never_cache
@require_GET
def start(request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:
    """Send the browser to the identity provider."""
    if not opened(request, request_id):
        return _page(request, _NOT_OPENED, 403)
    try:
        if not sign_in.is_configured():
            raise NotOfferedError("This installation does not offer to sign in.")
        url, pending = sign_in.begin(request_id, request.build_absolute_uri(reverse("identity:oidc-callback")))
    except RequestError as error:
        return _page(request, str(error), error.status)
    request.session[_SESSION_KEY] = pending.to_dict()
    return redirect(url)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponseBase:
    """The browser comes back. A sign-in that has begun is given out once, whatever comes of it."""
    document = request.session.pop(_SESSION_KEY, None)
    pending = None if document is None else sign_in.Pending.from_dict(document)
    if pending is None or not opened(request, uuid.UUID(pending.request_id)):
        return _page(request, _NOT_BEGUN, 403)
    request_id = uuid.UUID(pending.request_id)
    try:
        confirmed = confirm_by_sign_in(
            request_id, actor=subject_of(request_id), pending=pending, answer=request.GET.dict()
        )
    except IdentityError as error:
        return _page(request, str(error), 403)
    except RequestError as error:
        return _page(request, str(error), error.status)
    return _page(request, proving.still_needed(confirmed), 200)


def _page(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "identity/signed_in.html", {"message": message, "is_refused": status != 200}, status=status)
