"""Where a machine client gets an access token: RFC 6749 section 4.4, with the errors of its section 5.2.

Next: compliance/api/clients/scopes.py
"""

import base64
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework import serializers
from rest_framework.authentication import get_authorization_header
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.errors import MEDIA_TYPE
from compliance.api.schema import ProblemSerializer, refused_example

MAX_CHARACTERS = 500
_FORM = "application/x-www-form-urlencoded"


class TokenForm(serializers.Serializer[Any]):
    """What a client sends; its id and secret go here or into an `Authorization: Basic` header."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(required=False, help_text="separated by spaces; default: all that the client may")
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class AccessTokenSerializer(serializers.Serializer[Any]):
    """An access token for `Authorization: Bearer …`."""

    access_token = serializers.CharField()
    expires_in = serializers.IntegerField()
    token_type = serializers.CharField()
    scope = serializers.CharField()


class OAuthErrorSerializer(serializers.Serializer[Any]):
    """A refusal in the shape that every OAuth client knows."""

    error = serializers.CharField(help_text="such as invalid_client, invalid_scope, unsupported_grant_type")
    error_description = serializers.CharField(required=False)


_NOT_READABLE = {"error": "invalid_request", "error_description": "Expected visible ASCII, each member once, no query."}
_INVALID_CLIENT = {"error": "invalid_client"}


class ClientTokenView(APIView):
    """Access tokens of machine clients."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (FormParser,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "client_token"

    @extend_schema(
        operation_id="get_an_access_token",
        summary="Get an access token",
        request={_FORM: TokenForm},
        auth=[],
        responses={
            (200, "application/json"): AccessTokenSerializer,
            (400, "application/json"): OpenApiResponse(OAuthErrorSerializer, description="RFC 6749 section 5.2."),
            (401, "application/json"): OpenApiResponse(OAuthErrorSerializer, description="No such client, or secret."),
            (415, MEDIA_TYPE): OpenApiResponse(ProblemSerializer, description="The body is no form."),
            (429, MEDIA_TYPE): OpenApiResponse(ProblemSerializer, description="Too many requests."),
        },
        examples=[
            OpenApiExample(
                "sent",
                value={"grant_type": "client_credentials", "scope": "requests:read requests:write"},
                request_only=True,
                media_type=_FORM,
            ),
            OpenApiExample("answered", value=examples.ACCESS_TOKEN, response_only=True, status_codes=["200"]),
            OpenApiExample("invalid_scope", value={"error": "invalid_scope"}, response_only=True, status_codes=["400"]),
            OpenApiExample("invalid_client", value=_INVALID_CLIENT, response_only=True, status_codes=["401"]),
            refused_example(415),
            refused_example(429),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """For an hour. A scope that the client was not registered with is refused."""
        if request.query_params or not all(map(_is_readable, request.POST.lists())):
            return _answer(400, _NOT_READABLE)
        if not _is_readable_header(request):
            return _answer(401, _INVALID_CLIENT)
        _, headers, body, status = get_oauthlib_core().create_token_response(_plain(request))
        return _answer(status, json.loads(body), headers)


def _plain(request: Request) -> HttpRequest:
    return request._request  # noqa: SLF001 - the framework has no other name for Django's request


def _is_readable(member: tuple[str, list[str]]) -> bool:
    name, values = member
    return len(values) == 1 and all(_is_text(text) for text in (name, *values))


def _is_readable_header(request: Request) -> bool:
    """What could not be a client's id and secret does not reach the database, which would stumble over it."""
    scheme, _, value = get_authorization_header(request).partition(b" ")
    if not scheme:
        return True
    try:
        return scheme.lower() == b"basic" and _is_text(base64.b64decode(value, validate=True).decode("ascii"))
    except ValueError:
        return False


def _is_text(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and text.isascii() and text.isprintable()


def _answer(status: int, members: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    """With what RFC 6749 section 5.2 asks of a refused client."""
    response = HttpResponse(json.dumps(members), status=status, content_type="application/json")
    for name, value in (headers or {}).items():
        response[name] = value
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="oauth"'
    return response
