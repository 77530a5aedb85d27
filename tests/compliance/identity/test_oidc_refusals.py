"""Signing in at a real OpenID provider: everything that does not prove the person."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from compliance.identity import browser_session
from compliance.identity.openid import sign_in
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.identity import openid_provider
from tests.compliance.identity.browser import (
    Answer,
    asked,
    browser_that_opened,
    come_back,
    sent_to,
    signed_in,
    state_of,
)
from tests.compliance.identity.forged_tokens import (
    signed_by_the_public_key,
    unsigned,
    with_deep_claims,
    with_other_words,
)
from tests.compliance.identity.openid_provider import Provider

pytestmark = pytest.mark.django_db


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def having(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {**claims, **changes}


BAD_CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": having(nonce="of another sign-in"),
    "no nonce": without("nonce"),
    "a token that has expired": having(exp=int(time.time()) - 3600),
    "a token without an end": without("exp"),
    "an end that is no number": having(exp=float("nan")),
    "a token from the future": having(iat=int(time.time()) + 3600),
    "a token for another client": having(aud="somebody-else"),
    "a token for another client, asked for by us": having(aud="somebody-else", azp=openid_provider.CLIENT_ID),
    "a token for several clients, not said for which": having(aud=[openid_provider.CLIENT_ID, "somebody-else"]),
    "a token for several clients, given to another": having(
        aud=[openid_provider.CLIENT_ID, "somebody-else"], azp="somebody-else"
    ),
    "a token for nobody": without("aud"),
    "another issuer": having(iss="https://issuer.example"),
    "no issuer": without("iss"),
    "an unverified address": having(email_verified=False),
    "an address verified in a text": having(email_verified="true"),
    "an address of which nothing is said": without("email_verified"),
    "another person's address": having(email=cast.CHARLIE),
    "no address": without("email"),
    "two addresses": having(email=[cast.ALICE]),
    "an address that is none": having(email="alice"),
    "an access token that was exchanged": having(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in BAD_CLAIMS.items()])
def test_a_token_with_wrong_claims_proves_nothing(
    provider: Provider, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    provider.change = change
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


BAD_TOKENS: dict[str, Callable[[str], str]] = {
    "not signed": unsigned,
    "signed by what everybody knows": signed_by_the_public_key,
    "changed after it was signed": with_other_words,
    "no token at all": lambda token: "nonsense",
    "an empty token": lambda token: "",
    "claims that are nested too deep": with_deep_claims,
}


@pytest.mark.parametrize("forge", [pytest.param(forge, id=name) for name, forge in BAD_TOKENS.items()])
def test_a_forged_token_proves_nothing(provider: Provider, forge: Callable[[str], str]) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    provider.forge = forge
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_a_token_under_a_key_that_is_not_published_proves_nothing(provider: Provider) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    provider.signing_key = "strange"
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


BAD_ANSWERS: dict[str, Callable[[Answer], Answer]] = {
    "another state": lambda answer: {**answer, "state": "of another sign-in"},
    "no state": lambda answer: {"code": answer["code"]},
    "a state that is no ASCII": lambda answer: {**answer, "state": "ä"},
    "no code": lambda answer: {"state": answer["state"]},
    "a code that was never given": lambda answer: {**answer, "code": "guessed"},
    "the person said no": lambda answer: {"state": answer["state"], "error": "access_denied"},
    "from another provider": lambda answer: {**answer, "iss": "https://other.example"},
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in BAD_ANSWERS.items()])
def test_an_answer_that_does_not_fit_proves_nothing(provider: Provider, change: Callable[[Answer], Answer]) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    answer = signed_in(sent_to(client, request.pk))
    assert come_back(client, change(answer)) == 403
    assert come_back(client, answer) == 403, "a sign-in that has begun is given out once"
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_a_code_that_was_used_is_worth_nothing(provider: Provider) -> None:
    """Somebody reads the answer in a log of addresses, and uses it in a sign-in of their own."""
    request = asked()
    client = browser_that_opened(request.pk)
    answer = signed_in(sent_to(client, request.pk))
    assert come_back(client, answer) == 302
    stranger = cast.brought_to(RequestState.IDENTITY_PENDING).request
    other = browser_that_opened(stranger.pk)
    fresh = signed_in(sent_to(other, stranger.pk))
    assert come_back(other, {**fresh, "code": answer["code"]}) == 403
    assert state_of(stranger) == RequestState.IDENTITY_PENDING


def test_a_code_of_another_sign_in_is_worth_nothing(provider: Provider) -> None:
    """A code is bound to the browser that began, by the verifier of PKCE, also before it was used."""
    request, other_request = asked(), asked()
    client, other = browser_that_opened(request.pk), browser_that_opened(other_request.pk)
    stolen = signed_in(sent_to(client, request.pk))
    fresh = signed_in(sent_to(other, other_request.pk))
    assert come_back(other, {**fresh, "code": stolen["code"]}) == 403
    assert state_of(other_request) == RequestState.IDENTITY_PENDING


def test_the_person_is_not_led_into_proving_a_strangers_request(provider: Provider) -> None:
    """The stranger begins, and sends Alice, who is signed in at the provider, the address to go on with."""
    request = asked()
    answer = signed_in(sent_to(browser_that_opened(request.pk), request.pk))
    assert come_back(Client(), answer) == 403
    assert come_back(browser_that_opened(request.pk), answer) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_nobody_signs_in_for_a_request_that_the_browser_has_not_opened(provider: Provider) -> None:
    request = asked()
    assert Client().get(f"/identity/oidc/{request.pk}/start").status_code == 403
    other = browser_that_opened(asked().pk)
    assert other.get(f"/identity/oidc/{request.pk}/start").status_code == 403
    assert provider.asked == []


def test_a_browser_forgets_what_it_opened(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    monkeypatch.setattr(browser_session, "OPEN_SECONDS", 0)
    assert client.get(f"/identity/oidc/{request.pk}/start").status_code == 403


def test_a_request_must_still_be_open_when_the_browser_comes_back(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    answer = signed_in(sent_to(client, request.pk))
    monkeypatch.setattr(browser_session, "OPEN_SECONDS", 0)
    assert come_back(client, answer) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_a_sign_in_that_took_too_long_proves_nothing(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    answer = signed_in(sent_to(client, request.pk))
    monkeypatch.setattr(sign_in, "PENDING_SECONDS", 0)
    assert come_back(client, answer) == 403
    assert state_of(request) == RequestState.IDENTITY_PENDING


def test_a_form_cannot_begin_a_sign_in(provider: Provider) -> None:
    request = asked()
    assert browser_that_opened(request.pk).post(f"/identity/oidc/{request.pk}/start").status_code == 405


def test_without_configuration_nobody_is_sent_anywhere(settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    request = asked()
    assert browser_that_opened(request.pk).get(f"/identity/oidc/{request.pk}/start").status_code == 404
