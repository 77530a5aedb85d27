"""Three ways to say who asks: a subject's status token, a staff token, and a password to get a staff token with.

A header that cannot be right is refused here, before it reaches a database that would refuse it with an error.
"""

import re
from typing import Any, cast

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.authentication import BaseAuthentication, BasicAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotFound, Throttled, ValidationError
from rest_framework.request import Request

from compliance.requests import queries
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest

MAX_USERNAME = 150
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{1,128}")


class Subject:
    """The person behind one request, as far as the API knows: whoever holds its status token."""

    is_authenticated = True
    is_active = True

    def __init__(self, request: DeletionRequest) -> None:
        self.pk = request.pk


class SubjectAuthentication(BaseAuthentication):
    """`Authorization: Subject <status token>` for the request that the address names."""

    def authenticate(self, request: Request) -> tuple[Subject, DeletionRequest] | None:
        """`request.auth` becomes the DeletionRequest. A wrong token and an unknown id raise the same NotFound."""
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"subject":
            return None
        if not _TOKEN.fullmatch(token):
            raise NotFound
        try:
            found = queries.by_token(request.parser_context["kwargs"]["request_id"], token.decode())
        except NotFoundError as error:
            raise NotFound from error
        return Subject(found), found

    def authenticate_header(self, request: Request) -> str:
        """For WWW-Authenticate."""
        return 'Subject realm="request"'


def opened(request: Request) -> DeletionRequest:
    """The request that the status token opened; for views behind SubjectAuthentication."""
    return cast(DeletionRequest, request.auth)


class StaffTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox is untyped
    """`Authorization: Token <staff token>`; the library's class stumbles over bytes that are not text."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """The account and its token; raises AuthenticationFailed."""
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed
        return super().authenticate_credentials(token)


class LoginAuthentication(BasicAuthentication):
    """User name and password in an `Authorization: Basic` header, under the lock-out of django-axes."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The account; raises AuthenticationFailed, Throttled while locked, ValidationError for a body or a query.

        django-axes reads both to keep them with a failed attempt. One that cannot be read would make it fail before
        it counts, and let passwords be tried without end.
        """
        if request.query_params or request.stream is not None:
            raise ValidationError("Logging in takes an Authorization header alone: no query and no body.")
        return super().authenticate(request)

    def authenticate_credentials(self, userid: str, password: str, request: Any = None) -> tuple[Any, Any]:
        """The account; raises AuthenticationFailed or Throttled."""
        if len(userid) > MAX_USERNAME or not userid.isprintable():
            raise AuthenticationFailed
        if AxesProxyHandler.is_locked(request, {"username": userid}):
            raise Throttled(wait=_cool_off_seconds(request))
        return super().authenticate_credentials(userid, password, request)


def _cool_off_seconds(request: Request) -> float:
    period = get_cool_off(request)
    return 3600.0 if period is None else period.total_seconds()


class SubjectScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes the status token."""

    target_class = SubjectAuthentication
    name = "statusToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Subject <status token>`; the token is shown once, when the request is received.",
        }


class StaffTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes staff tokens."""

    target_class = StaffTokenAuthentication
    name = "staffToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The header."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token <staff token>`"}


class LoginScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes logging in."""

    target_class = LoginAuthentication
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """HTTP basic."""
        return {"type": "http", "scheme": "basic"}
