"""The provider of the tests and an installation that is set up for it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from compliance.identity.openid import provider as client_side
from tests.compliance import cast
from tests.compliance.identity import openid_provider
from tests.compliance.identity.openid_provider import Provider


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Alice is signed in there, with a verified address."""
    person = {"email": cast.ALICE, "email_verified": True}
    with openid_provider.running(person) as running:
        settings.OIDC_ISSUER = running.issuer
        settings.OIDC_CLIENT_ID = openid_provider.CLIENT_ID
        settings.OIDC_CLIENT_SECRET = openid_provider.CLIENT_SECRET
        settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1"})
        # A port may come back that an earlier test had.
        monkeypatch.setattr(client_side, "_providers", client_side._Kept(client_side._read_provider))
        monkeypatch.setattr(client_side, "_key_sets", client_side._Kept(client_side._read_keys))
        yield running
