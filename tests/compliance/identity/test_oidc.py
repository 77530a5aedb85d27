"""Signing in at a real OpenID provider: what proves the person, and what is kept of it."""

import json
import logging
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from compliance.identity.openid import provider as client_side
from compliance.ledger.models import PendingEntry
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.identity import openid_provider
from tests.compliance.identity.browser import asked, browser_that_opened, come_back, sent_to, signed_in, state_of
from tests.compliance.identity.forged_tokens import with_other_words
from tests.compliance.identity.openid_provider import Provider

pytestmark = pytest.mark.django_db


def test_whoever_signs_in_as_the_person_has_proven_level_two(provider: Provider, settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    request = asked()
    client = browser_that_opened(request.pk)
    provider.person["email"] = cast.ALICE.upper()
    url = sent_to(client, request.pk)
    assert cast.ALICE not in url and provider.issuer in url
    assert come_back(client, signed_in(url)) == 302
    request.refresh_from_db()
    assert (request.state, request.identity_level) == (RequestState.UNDER_REVIEW, 2)
    last = PendingEntry.objects.filter(request_id=request.pk).latest("pk")
    assert json.loads(bytes(last.leaf))["facts"] == {"level": 2, "method": "oidc"}


def test_whoever_has_one_address_more_proves_nothing_new(provider: Provider) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 302
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 409


def test_keys_that_change_are_fetched_anew(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asked(), asked()
    client = browser_that_opened(first.pk)
    assert come_back(client, signed_in(sent_to(client, first.pk))) == 302
    provider.signing_key, provider.published_keys = "second", ("second", "first")
    monkeypatch.setattr(client_side, "MIN_KEY_AGE_SECONDS", 0)
    client = browser_that_opened(second.pk)
    assert come_back(client, signed_in(sent_to(client, second.pk))) == 302
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1, "it is kept for an hour"


@pytest.mark.parametrize("client", ["client_secret_basic", "client_secret_post", "none"])
def test_the_client_shows_who_it_is_as_the_provider_wants(provider: Provider, settings: Settings, client: str) -> None:
    provider.client, provider.metadata = client, {"token_endpoint_auth_methods_supported": [client]}
    if client == "none":
        settings.OIDC_CLIENT_SECRET = ""
    request = asked()
    browser = browser_that_opened(request.pk)
    assert come_back(browser, signed_in(sent_to(browser, request.pk))) == 302


def test_a_client_that_the_provider_does_not_know_is_no_fault_of_the_person(
    provider: Provider, settings: Settings
) -> None:
    settings.OIDC_CLIENT_SECRET = "another"
    request = asked()
    browser = browser_that_opened(request.pk)
    assert come_back(browser, signed_in(sent_to(browser, request.pk))) == 503
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_nothing_of_what_the_provider_says_is_logged_or_kept(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    request, stranger = asked(), cast.brought_to(RequestState.IDENTITY_PENDING, cast.CHARLIE).request
    with caplog.at_level(logging.DEBUG):
        for found in (stranger, request):
            client = browser_that_opened(found.pk)
            provider.forge = with_other_words
            come_back(client, signed_in(sent_to(client, found.pk)))
            provider.forge = str
            answer = signed_in(sent_to(client, found.pk))
            response = client.get(f"/identity/oidc/callback?{urlencode({**answer, 'code': 'guessed'})}")
            assert cast.MARK not in response.content.decode()
            answer = signed_in(sent_to(client, found.pk))
            response = client.get(f"/identity/oidc/callback?{urlencode(answer)}")
            assert cast.MARK not in response.content.decode()
            assert cast.MARK not in json.dumps(dict(client.session.items()))
    assert state_of(request) == RequestState.UNDER_REVIEW
    assert "a sign-in was refused" in caplog.text
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert not any(cast.MARK in message or openid_provider.CLIENT_SECRET in message for message in ours)
