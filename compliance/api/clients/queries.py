"""Named reads of machine clients."""

from django.db.models import QuerySet
from oauth2_provider.models import Application

from compliance.api.clients.errors import UnknownClientError
from compliance.api.clients.models import ApiClient


def clients() -> QuerySet[ApiClient]:
    """All of them by name, with account, roles and OAuth's row. Two queries."""
    return ApiClient.objects.select_related("user", "application").prefetch_related("user__groups").order_by("name")


def locked_active(name: str) -> tuple[ApiClient, Application]:
    """The client of this name, its row locked, and OAuth's; raises UnknownClientError."""
    client = ApiClient.objects.select_for_update().filter(name=name, revoked_at=None).first()
    if client is None or client.application is None:
        raise UnknownClientError(
            f"There is no client {name!r} in use. `manage.py api_clients list` shows those there are."
        )
    return client, client.application
