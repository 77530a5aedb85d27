"""Errors outside any view: problem+json under /api/, the usual pages elsewhere."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from compliance.api.errors import BAD_REQUEST, FORBIDDEN, INTERNAL, MEDIA_TYPE, NOT_FOUND, Problem

PREFIX = "/api/"


class UnknownEndpoint(APIView):
    """Whatever lies under /api/ and is no endpoint, for every method."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = None
    http_method_names = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Raises NotFound before the method is looked at: a 405 would say that something is here."""
        super().initial(request, *args, **kwargs)
        raise NotFound


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host that is not ours, or a request that Django found suspicious."""
    return _answer(request, BAD_REQUEST) or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, FORBIDDEN) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, NOT_FOUND) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _answer(request, INTERNAL) or defaults.server_error(request)


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse | None:
    if not request.path.startswith(PREFIX):
        return None
    return JsonResponse(problem.to_dict(), status=problem.status, content_type=MEDIA_TYPE)
