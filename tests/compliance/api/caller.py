"""Someone who calls the API over HTTP, and what the tests look at in the answer."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.compliance import cast

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Caller:
    """One person with their Authorization header, or none."""

    authorization: str = ""
    http: Client = field(default_factory=Client)

    def get(self, name: str, *args: object, **query: str) -> HttpResponse:
        """GET the endpoint of this name."""
        return self._send("GET", name, args, query=query)

    def delete(self, name: str, *args: object) -> HttpResponse:
        """DELETE the endpoint of this name."""
        return self._send("DELETE", name, args)

    def post(self, name: str, *args: object, body: object = None) -> HttpResponse:
        """POST `body` as JSON; no body at all for None."""
        return self.send(name, *args, data=b"" if body is None else json.dumps(body).encode())

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
        query: dict[str, str] | None = None,
    ) -> HttpResponse:
        headers = {"Authorization": self.authorization} if self.authorization else {}
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
