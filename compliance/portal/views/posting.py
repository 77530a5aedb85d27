"""What every act of staff has in common: POST alone, one domain call, a sentence, and back to the page."""

import uuid
from collections.abc import Callable, Collection
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from compliance.ledger.actors import Role, RoleError
from compliance.portal.access import Viewer
from compliance.requests.errors import NotFoundError, RequestError
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest

Arguments = ParamSpec("Arguments")
#: What an act can end with that people are told in a sentence.
PROBLEMS = (RequestError, RoleError, VaultError)
RequestView = Callable[Concatenate[HttpRequest, Viewer, uuid.UUID, Arguments], HttpResponse]


def posted(view: RequestView[Arguments]) -> RequestView[Arguments]:
    """Let a view act on POST alone. A browser that arrives with GET, say after signing in again, is shown the page."""

    @wraps(view)
    def guarded(
        request: HttpRequest,
        viewer: Viewer,
        request_id: uuid.UUID,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> HttpResponse:
        if request.method != "POST":
            return redirect("portal:request", request_id)
        return view(request, viewer, request_id, *args, **kwargs)

    # The addresses give the id by its name, which the type cannot say.
    return cast("RequestView[Arguments]", guarded)


def act(
    action: Callable[..., object],
    request_id: uuid.UUID,
    viewer: Viewer,
    roles: Collection[Role],
    **values: str | uuid.UUID,
) -> None:
    """Call an action as this viewer, in the first role that may."""
    action(request_id, actor=viewer.actor(roles), **values)


def carry_out(request: HttpRequest, request_id: uuid.UUID, do: Callable[[], object], done: str) -> HttpResponse:
    """Do it, say how it went, and let the browser GET the page: reloading never repeats an act."""
    try:
        do()
    except PROBLEMS as error:
        return explained(request, request_id, error)
    messages.success(request, done)
    return redirect("portal:request", request_id)


def explained(request: HttpRequest, request_id: uuid.UUID, error: Exception) -> HttpResponse:
    """Back to the page, with the sentence of the error; raises Http404 where the request itself is not there."""
    # Else it is a part of the request that is gone: a hold that a colleague lifted first.
    if isinstance(error, NotFoundError) and not DeletionRequest.objects.filter(pk=request_id).exists():
        raise Http404(str(error)) from error
    messages.error(request, str(error))
    return redirect("portal:request", request_id)
