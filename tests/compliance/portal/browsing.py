"""Browsers of the people of the tests, and what they see."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from compliance.ledger.models import PendingEntry
from compliance.requests.models import DeletionRequest
from tests.compliance.portal.html_page import Page


def signed_in(user: User) -> Client:
    """A browser in which this account is signed in."""
    client = Client()
    client.force_login(user)
    return client


def address(name: str, request_id: uuid.UUID, model_id: uuid.UUID | None = None) -> str:
    """The address of a view about one request, or about one model of it."""
    return reverse(f"portal:{name}", args=[request_id] if model_id is None else [request_id, model_id])


def seen(client: Client, url: str, status: int = 200) -> Page:
    """The page at this address, which must come with this status."""
    response = client.get(url)
    assert response.status_code == status, f"expected {status}, found {response.status_code}"
    return page_of(response)


def page_of(response: Any) -> Page:
    """The page in a response."""
    assert isinstance(response, HttpResponse)
    return Page(response.content.decode())


def act(
    client: Client,
    name: str,
    request_id: uuid.UUID,
    data: Mapping[str, str] | None = None,
    *,
    model_id: uuid.UUID | None = None,
) -> Page:
    """Post a form that must be accepted for processing, and the page that the browser is sent to."""
    response = client.post(address(name, request_id, model_id), data or {})
    assert response.status_code == 302, f"expected a redirection, found {response.status_code}"
    assert response["Location"] == address("request", request_id)
    return seen(client, response["Location"])


def approval(client: Client, request_id: uuid.UUID, ground: str = "art17_1_b") -> dict[str, str]:
    """The approval form as it stands on the page, with a ground chosen."""
    (scope,) = seen(client, address("request", request_id)).all("input", name="scope")
    return {"scope": scope.attributes["value"], "ground": ground}


def messages(response: Any) -> list[str]:
    """The messages left for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def state_of(request_id: uuid.UUID) -> tuple[str, int]:
    """What an act would change: the request's state, and the number of entries waiting for the ledger."""
    return DeletionRequest.objects.get(pk=request_id).state, PendingEntry.objects.count()


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but sessions, to see whether something was written."""
    models = [model for model in apps.get_models() if model is not Session]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}
