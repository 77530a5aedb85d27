"""Where a person begins: what this is, the form, and the receipt.

Next: compliance/requests/actions/submit.py
"""

from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from compliance.identity.browser_session import remember_opened
from compliance.public import limits, sent_forms
from compliance.public.forms import AskForm, form_of, lines_of
from compliance.public.pages import page, preferred_words, private, show, too_many
from compliance.public.words import Words
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.errors import RequestError
from compliance.requests.models import Channel


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """To the pages in the language that the browser asks for."""
    response = redirect("public:home", language=preferred_words(request).code)
    patch_vary_headers(response, ["Accept-Language"])
    return private(response)


@require_safe
@page
def home(request: HttpRequest, words: Words) -> HttpResponse:
    """What can be done here. No form, no cookie."""
    return show(request, words, "home")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def ask(request: HttpRequest, words: Words) -> HttpResponse:
    """The form; sent, it becomes a request."""
    if request.method != "POST":
        return _form(request, words, form_of(AskForm, words, initial={"form_id": sent_forms.new_form_id()}), 200)
    seconds = limits.seconds_to_wait(request, "submit")
    if seconds is not None:
        return too_many(request, words, seconds)
    form = form_of(AskForm, words, request.POST)
    if not form.is_valid():
        return _form(request, words, form, 400)
    asked = form.cleaned_data
    earlier = sent_forms.made_by(request, asked["form_id"])
    if earlier is not None:
        return redirect("public:follow", language=words.code, request_id=earlier)
    receive = partial(
        submit,
        identifier_kind=asked["kind"],
        identifier_value=asked["value"],
        ground=asked["ground"],
        regulation=asked["regulation"],
        channel=Channel.WEB,
        locale=words.code,
        said=lines_of(asked["said"]),
    )
    try:
        submitted = sent_forms.once(request, asked["form_id"], receive)
    except RequestError as error:
        form.add_error(None, words.refusal(error))
        return _form(request, words, form, error.status)
    return receipt(request, words, submitted, asked["form_id"])


def receipt(request: HttpRequest, words: Words, submitted: Submitted, form_id: str) -> HttpResponse:
    """The answer to the form itself, since the key to the request is shown once and stored nowhere."""
    if not sent_forms.is_fresh(submitted):
        return redirect("public:follow", language=words.code, request_id=submitted.request.pk)
    remember_opened(request, submitted.request.pk)
    sent_forms.remember(request, form_id, submitted.request.pk)
    shown = {"deletion": submitted.request, "token": submitted.token}
    return show(request, words, "receipt", shown, status=201, has_languages=False)


def _form(request: HttpRequest, words: Words, form: AskForm, status: int) -> HttpResponse:
    shown = {"form": form, "retention_days": settings.IDENTITY_RETENTION_DAYS}
    return show(request, words, "ask", shown, status=status)
