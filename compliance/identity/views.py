"""Signing in at the identity provider: the way there, and the way back.

Only a browser that has opened the request with its status token gets anywhere (browser_session.py). What the provider
is told of the way back is one address; which request it is about stays in the session.
"""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from compliance.identity.browser_session import opened
from compliance.identity.errors import NotOfferedError
from compliance.identity.openid import sign_in
from compliance.ledger.actors import subject_of
from compliance.public.pages import preferred_words, refused
from compliance.public.words import words_of
from compliance.requests.actions.confirm_by_sign_in import confirm_by_sign_in
from compliance.requests.errors import IdentityError, RequestError
from compliance.requests.models import DeletionRequest

_SESSION_KEY = "oidc_sign_in"


@never_cache
@require_GET
def start(request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:
    """Send the browser to the identity provider."""
    if not opened(request, request_id):
        return _not_opened(request)
    try:
        if not sign_in.is_configured():
            raise NotOfferedError("This installation does not offer to sign in.")
        url, pending = sign_in.begin(request_id, request.build_absolute_uri(reverse("identity:oidc-callback")))
    except RequestError as error:
        return _refused(request, request_id, error)
    request.session[_SESSION_KEY] = pending.to_dict()
    return redirect(url)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponseBase:
    """The browser comes back. A sign-in that has begun is given out once, whatever comes of it."""
    document = request.session.pop(_SESSION_KEY, None)
    pending = None if document is None else sign_in.Pending.from_dict(document)
    if pending is None or not opened(request, uuid.UUID(pending.request_id)):
        return _not_opened(request)
    request_id = uuid.UUID(pending.request_id)
    try:
        confirmed = confirm_by_sign_in(
            request_id, actor=subject_of(request_id), pending=pending, answer=request.GET.dict()
        )
    except RequestError as error:
        return _refused(request, request_id, error)
    words = words_of(confirmed.locale)
    messages.success(request, words.text("done_sign_in"))
    return redirect("public:follow", language=words.code, request_id=request_id)


def _not_opened(request: HttpRequest) -> HttpResponse:
    return refused(request, preferred_words(request), "not_opened", 403)


def _refused(request: HttpRequest, request_id: uuid.UUID, error: RequestError) -> HttpResponse:
    """Why the sign-in proved nothing, in the language of the request, with the way back to it."""
    locale = DeletionRequest.objects.values_list("locale", flat=True).get(pk=request_id)
    if isinstance(error, IdentityError):
        return refused(request, words_of(locale), "sign_in_refused", 403, request_id)
    reason = "sign_in_unavailable" if error.status >= 500 or isinstance(error, NotOfferedError) else "sign_in_late"
    return refused(request, words_of(locale), reason, error.status, request_id)
