"""A person's browser between us and the identity provider."""

import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client

from compliance.identity import browser_session
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast

Answer = dict[str, str]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Called by urllib: nobody is followed."""


def browser_that_opened(request_id: uuid.UUID) -> Client:
    """A browser in which the status token of this request was entered."""
    client = Client()
    shown = HttpRequest()
    shown.session = SessionStore()
    browser_session.remember_opened(shown, request_id)
    shown.session.save()
    client.cookies["sessionid"] = str(shown.session.session_key)
    return client


def sent_to(client: Client, request_id: uuid.UUID) -> str:
    """Where our start page sends the browser."""
    response = client.get(f"/identity/oidc/{request_id}/start")
    assert response.status_code == 302
    return str(response.headers["Location"])


def signed_in(url: str) -> Answer:
    """What the provider sends the browser back with, once the person agreed."""
    try:
        urllib.request.build_opener(_NoRedirect).open(url, timeout=5)
    except urllib.error.HTTPError as redirected:
        with redirected:
            back = urlsplit(redirected.headers["Location"])
        assert back.path == "/identity/oidc/callback"
        return {name: values[0] for name, values in parse_qs(back.query).items()}
    raise AssertionError("the provider did not send the browser back")


def come_back(client: Client, answer: Mapping[str, str]) -> int:
    return client.get(f"/identity/oidc/callback?{urlencode(answer)}").status_code


def state_of(request: DeletionRequest) -> str:
    return DeletionRequest.objects.get(pk=request.pk).state


def asked() -> DeletionRequest:
    """Alice's request, waiting for a proof."""
    return cast.brought_to(RequestState.IDENTITY_PENDING).request
