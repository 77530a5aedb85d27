"""Someone who calls the API over HTTP, and what the tests look at in the answer."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from compliance.api.clients.actions.register import Registered, register
from compliance.api.clients.scopes import Scope
from compliance.ledger.actors import STAFF_ROLES, Role
from tests.compliance import cast

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Caller:
    """One person with their Authorization header, or none."""

    authorization: str = ""
    http: Client = field(default_factory=Client)

    def get(self, name: str, *args: object, **query: str | list[str]) -> HttpResponse:
        """GET the endpoint of this name."""
        return self._send("GET", name, args, query=query)

    def delete(self, name: str, *args: object) -> HttpResponse:
        """DELETE the endpoint of this name."""
        return self._send("DELETE", name, args)

    def post(self, name: str, *args: object, body: object = None, key: str | None = None) -> HttpResponse:
        """POST `body` as JSON, under this Idempotency-Key; no body at all for None."""
        data = b"" if body is None else json.dumps(body).encode()
        return self._send("POST", name, args, data=data, more={} if key is None else {"Idempotency-Key": key})

    def send(
        self, name: str, *args: object, data: bytes, content_type: str = "application/json", **query: str
    ) -> HttpResponse:
        """POST these bytes."""
        return self._send("POST", name, args, data=data, content_type=content_type, query=query)

    def _send(
        self,
        method: str,
        name: str,
        args: tuple[object, ...],
        data: bytes = b"",
        content_type: str = "application/json",
        query: Mapping[str, str | list[str]] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        headers = {"Authorization": self.authorization} if self.authorization else {}
        headers |= more or {}
        response: Any = self.http.generic(
            method, reverse(f"api:{name}", args=args), data, content_type, headers=headers, query_params=query or {}
        )
        assert isinstance(response, HttpResponse)
        return response


def anonymous() -> Caller:
    """Nobody known."""
    return Caller()


def subject(token: str) -> Caller:
    """The holder of a status token."""
    return Caller(f"Subject {token}")


def staff(user: User) -> Caller:
    """The holder of a staff token."""
    return Caller(f"Token {cast.staff_token(user)}")


def client(*scopes: Scope, roles: Sequence[Role] = STAFF_ROLES, name: str = "erp") -> Caller:
    """A machine client with these roles, and an access token of these scopes."""
    registered = register(name, [role.value for role in roles], [scope.value for scope in Scope])
    return Caller(f"Bearer {access_token(registered, *scopes)}")


def access_token(registered: Registered, *scopes: Scope) -> str:
    """A token as the client gets one."""
    response = token_response(registered.client_id, registered.secret, scope=" ".join(scopes))
    assert response.status_code == 200, response.content
    return str(body_of(response)["access_token"])


def token_response(client_id: str, secret: str, **form: str) -> HttpResponse:
    """The answer to a client that asks for a token with its id and secret."""
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    data = urlencode({"grant_type": "client_credentials"} | form).encode()
    basic = Caller(f"Basic {credentials}")
    return basic.send("client-tokens", data=data, content_type="application/x-www-form-urlencoded")


def body_of(response: HttpResponse) -> Any:
    """The JSON of an answer."""
    return json.loads(response.content)


def refused(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Asserts that this is a refusal of this kind, in the one shape; returns its members."""
    assert response["Content-Type"] == PROBLEM, response.content
    problem = body_of(response)
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"] == "about:blank"
    return dict(problem)
