"""Acts of staff that are not about one request: one domain call, a sentence, and back to a page."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from compliance.portal.views.posting import PROBLEMS
from compliance.requests.errors import NotFoundError


def carry_out(request: HttpRequest, do: Callable[[], object], done: str, page: str, *args: Any) -> HttpResponse:
    """Do it, say how it went, and let the browser GET the page; raises Http404 where the thing is not there."""
    try:
        do()
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except PROBLEMS as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(page, *args)
