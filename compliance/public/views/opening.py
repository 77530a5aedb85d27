"""The key to a request goes into a form, never into an address; from there on the session of the browser knows it."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from compliance.identity import browser_session
from compliance.public import limits
from compliance.public.forms import OpenForm, form_of
from compliance.public.pages import page, show, too_many
from compliance.public.words import Words
from compliance.requests import queries
from compliance.requests.errors import NotFoundError


@require_http_methods(["GET", "HEAD", "POST"])
@page
def open_request(request: HttpRequest, words: Words) -> HttpResponse:
    """A number that does not exist and a key that does not fit have one answer."""
    if request.method != "POST":
        return show(request, words, "open", {"form": form_of(OpenForm, words)})
    seconds = limits.seconds_to_wait(request, "identity")
    if seconds is not None:
        return too_many(request, words, seconds)
    form = form_of(OpenForm, words, request.POST)
    if not form.is_valid():
        return show(request, words, "open", {"form": form}, status=400)
    try:
        found = queries.by_token(form.cleaned_data["request_id"], form.cleaned_data["token"])
    except NotFoundError as error:
        form.add_error(None, words.text("error_not_opened"))
        return show(request, words, "open", {"form": form}, status=error.status)
    browser_session.remember_opened(request, found.pk)
    return redirect("public:follow", language=words.code, request_id=found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def forget(request: HttpRequest, words: Words) -> HttpResponse:
    """The session of this browser ends, with every request that was opened in it."""
    if request.method == "POST":
        browser_session.forget(request)
        messages.success(request, words.text("done_forgotten"))
    response = redirect("public:home", language=words.code)
    response.delete_cookie(settings.CSRF_COOKIE_NAME)
    return response


def ask_to_open(request: HttpRequest, words: Words, request_id: uuid.UUID) -> HttpResponse:
    """Instead of a page that this browser has not opened, or not within the hour; whether it exists is not said."""
    form = form_of(OpenForm, words, initial={"request_id": request_id})
    return show(request, words, "open", {"form": form, "is_closed": True}, status=403)
