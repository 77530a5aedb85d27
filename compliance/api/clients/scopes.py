"""What a token of a machine client may be used for. A scope only narrows what the roles of its account allow.

Staff who log in have no scopes: their roles say it all. Source: RFC 6749 section 3.3; RFC 6750 section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from oauth2_provider.models import AccessToken
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request


class Scope(StrEnum):
    """The scopes."""

    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    IDENTITIES_UNVEIL = "identities:unveil"
    AUDIT_READ = "audit:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    RECIPIENTS_MANAGE = "recipients:manage"


MEANINGS: Mapping[Scope, str] = {
    Scope.REQUESTS_READ: "Read requests, their notes and their scope, and the register of models.",
    Scope.REQUESTS_WRITE: "Take requests in, and decide on them.",
    Scope.IDENTITIES_UNVEIL: "Read who made a request. Each time is an entry of the ledger.",
    Scope.AUDIT_READ: "Read bundles, keys, the trust file and the checkpoint.",
    Scope.WEBHOOKS_MANAGE: "See and change webhooks, and their deliveries.",
    Scope.RECIPIENTS_MANAGE: "See and change recipients, and what they were told.",
}


@dataclass(frozen=True)
class Area:
    """A part of the API: the scope that its safe methods take, and that of the others."""

    read: Scope
    write: Scope

    def needed(self, method: str | None) -> Scope:
        """The scope for a method of HTTP."""
        return self.read if method in SAFE_METHODS else self.write


REQUESTS = Area(Scope.REQUESTS_READ, Scope.REQUESTS_WRITE)
IDENTITIES = Area(Scope.IDENTITIES_UNVEIL, Scope.IDENTITIES_UNVEIL)
AUDIT = Area(Scope.AUDIT_READ, Scope.AUDIT_READ)
WEBHOOKS = Area(Scope.WEBHOOKS_MANAGE, Scope.WEBHOOKS_MANAGE)
RECIPIENTS = Area(Scope.RECIPIENTS_MANAGE, Scope.RECIPIENTS_MANAGE)


class ScopeMissingError(PermissionDenied):
    """The token does not have the scope; the answer names it (RFC 6750 section 3.1)."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"This needs the scope {scope.value}, which the token does not have. Ask for a token with it.")
        self.challenge = f'Bearer realm="api", error="insufficient_scope", scope="{scope.value}"'


def refuse_without(area: Area, request: Request) -> None:
    """Raises ScopeMissingError for a token of a machine client that lacks the scope of this method."""
    needed = area.needed(request.method)
    if isinstance(request.auth, AccessToken) and needed.value not in request.auth.scope.split():
        raise ScopeMissingError(needed)


class ClientScopes:
    """The `SCOPES_BACKEND_CLASS` of the library: a client gets the scopes it was registered with, or some of them."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope and what it is for."""
        return {scope.value: meaning for scope, meaning in MEANINGS.items()}

    def get_available_scopes(self, application: Any = None, request: Any = None) -> list[str]:
        """Those that this client may ask for."""
        client = getattr(application, "api_client", None)
        return [] if client is None else list(client.scopes)

    def get_default_scopes(self, application: Any = None, request: Any = None) -> list[str]:
        """Those that it gets without asking: all that it may."""
        return self.get_available_scopes(application, request)
