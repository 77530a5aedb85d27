"""`Authorization: Bearer <access token>` of a machine client: RFC 6750 section 2.1, and no other way.

The library's class looks for tokens in bodies and addresses, too, and reads a body before its size and type are known.
"""

import re
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from compliance.api.clients.scopes import MEANINGS

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/=-]{1,255}")


def is_bearer(request: Request) -> bool:
    """Whether the request shows an access token, or says so."""
    return get_authorization_header(request)[:6].lower() == b"bearer"


class ClientAuthentication(BaseAuthentication):
    """`request.user` becomes the client's account, `request.auth` the AccessToken with its scopes."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Raises AuthenticationFailed for a token that is unknown, expired or revoked."""
        if not is_bearer(request):
            return None
        _, _, token = get_authorization_header(request).partition(b" ")
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed
        rows = AccessToken.objects.select_related("application__api_client__user")
        found = rows.filter(token_checksum=sha256(token).hexdigest()).first()
        client = getattr(getattr(found, "application", None), "api_client", None)
        if found is None or client is None or found.is_expired() or not client.user.is_active:
            raise AuthenticationFailed
        return client.user, found

    def authenticate_header(self, request: Request) -> str:
        """For WWW-Authenticate."""
        return 'Bearer realm="api", error="invalid_token"' if is_bearer(request) else 'Bearer realm="api"'


class ClientScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes machine clients."""

    target_class = ClientAuthentication
    name = "client"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """The scope that the operation takes."""
        areas = [getattr(kind, "opened_area", None) for kind in auto_schema.view.permission_classes]
        return {self.name: [area.needed(auto_schema.method).value for area in areas if area is not None]}

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """OAuth 2.0 with client credentials."""
        scopes = {scope.value: meaning for scope, meaning in MEANINGS.items()}
        return {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/api/v1/oauth/token", "scopes": scopes}},
        }
