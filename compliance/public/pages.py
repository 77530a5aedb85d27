"""A page in a language: what all of them have in common, and the pages of what went wrong."""

import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from compliance.public.words import Words, available, preferred, words_of

Arguments = ParamSpec("Arguments")
PublicView = Callable[Concatenate[HttpRequest, Words, Arguments], HttpResponse]
LocalView = Callable[Concatenate[HttpRequest, str, Arguments], HttpResponse]


def page(view: PublicView[Arguments]) -> LocalView[Arguments]:
    """A view at an address that names its language; it receives the words of it. Nothing of it is kept or indexed."""

    @wraps(view)
    def localised(
        request: HttpRequest, language: str, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponse:
        return private(view(request, words_of(language), *args, **kwargs))

    # `wraps` gives the result the view's own parameters in the eyes of mypy; what is called has the language.
    return cast("LocalView[Arguments]", never_cache(localised))


def private(response: HttpResponse) -> HttpResponse:
    """No robot lists it, and no other site learns that it was read.

    Not `no-referrer`: under it browsers send forms with `Origin: null`, which the check against forgery refuses (Fetch
    standard, "append a request Origin header"). No address holds a token or an identifier either way.
    """
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def show(
    request: HttpRequest,
    words: Words,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    has_languages: bool = True,
) -> HttpResponse:
    """The page. `has_languages` is off where what it shows could not be shown again in another language."""
    shared = {
        "words": words,
        "languages": _languages(request, words) if has_languages else [],
        "controller": settings.CONTROLLER_NAME,
        "contact": settings.CONTACT,
    }
    response = render(request, f"public/{template}.html", {**shared, **(context or {})}, status=status)
    response.headers["Content-Language"] = words.code
    return response


def refused(
    request: HttpRequest,
    words: Words,
    reason: str,
    status: int,
    request_id: uuid.UUID | None = None,
    **values: object,
) -> HttpResponse:
    """What went wrong: the texts `title_<reason>` and `text_<reason>`; with a request, the way back to it."""
    shown: dict[str, object] = {"title": words.text(f"title_{reason}"), "text": words.text(f"text_{reason}", **values)}
    shown["request_id"] = request_id
    return private(show(request, words, "refused", shown, status=status))


def too_many(request: HttpRequest, words: Words, seconds: int) -> HttpResponse:
    """429, with when to come back."""
    response = refused(request, words, "too_many", 429, minutes=-(-seconds // 60))
    response.headers["Retry-After"] = str(seconds)
    return response


def language_of_path(request: HttpRequest) -> Words:
    """The words of the language that the address names, else of the one that the browser asks for."""
    code = request.path.removeprefix(reverse("public:start")).partition("/")[0]
    return words_of(code) if code in available() else preferred_words(request)


def preferred_words(request: HttpRequest) -> Words:
    """The words of the language that the browser asks for."""
    return words_of(preferred(request.headers.get("Accept-Language", "")))


def _languages(request: HttpRequest, words: Words) -> list[dict[str, object]]:
    """The same page in every language. A page that only answers a form leads to the beginning."""
    match = request.resolver_match
    name, kwargs = "public:home", {}
    if match is not None and match.namespace == "public" and "language" in match.kwargs:
        name, kwargs = match.view_name, match.kwargs
    return [
        {
            "code": code,
            "name": words_of(code).name,
            "url": reverse(name, kwargs={**kwargs, "language": code}),
            "is_current": code == words.code,
        }
        for code in available()
    ]
