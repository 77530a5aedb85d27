"""The page on which a person follows a request, for a browser that has opened it."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from compliance.identity.browser_session import opened
from compliance.public.follow_page import follow_page
from compliance.public.pages import LocalView, page, show
from compliance.public.views.opening import ask_to_open
from compliance.public.words import Words
from compliance.requests.models import DeletionRequest

OpenedView = Callable[Concatenate[HttpRequest, Words, DeletionRequest, ...], HttpResponse]


def for_opened(view: OpenedView) -> LocalView[uuid.UUID]:
    """A view for browsers that have opened the request; it receives the words and the row, with its vault."""

    @wraps(view)
    def guarded(request: HttpRequest, words: Words, request_id: uuid.UUID) -> HttpResponse:
        if not opened(request, request_id):
            return ask_to_open(request, words, request_id)
        return view(request, words, DeletionRequest.objects.select_related("vault").get(pk=request_id))

    return page(guarded)


@require_safe
@for_opened
def follow(request: HttpRequest, words: Words, deletion: DeletionRequest) -> HttpResponse:
    """Where the request stands."""
    return show_request(request, words, deletion)


def show_request(
    request: HttpRequest, words: Words, deletion: DeletionRequest, form: Form | None = None, status: int = 200
) -> HttpResponse:
    """The page, with a form that was refused in its place."""
    shown = {"page": follow_page(deletion, words, form), "form": form}
    return show(request, words, "follow", shown, status=status)
