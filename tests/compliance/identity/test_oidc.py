"""Signing in at a real OpenID provider: everything that does not prove the person, then what does."""

import base64
import hmac
import json
import logging
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from compliance.identity import browser_session
from compliance.identity.errors import ProviderError
from compliance.identity.openid import exchange, sign_in
from compliance.identity.openid import provider as client_side
from compliance.ledger.models import PendingEntry
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.identity import openid_provider
from tests.compliance.identity.openid_provider import Provider

pytestmark = pytest.mark.django_db

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


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def having(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {**claims, **changes}


UNSIGNED, SYMMETRIC = b'{"alg":"none"}', b'{"alg":"HS256","kid":"first"}'
BAD_CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": having(nonce="of another sign-in"),
    "no nonce": without("nonce"),
    "a token that has expired": having(exp=int(time.time()) - 3600),
    "a token without an end": without("exp"),
    "an end that is no number": having(exp=float("nan")),
    "a token from the future": having(iat=int(time.time()) + 3600),
    "a token for another client": having(aud="somebody-else"),
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


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(token: str) -> str:
    return f"{encoded(UNSIGNED)}.{token.split('.')[1]}."


def signed_by_the_public_key(token: str) -> str:
    """The oldest trick: the public key, which everybody has, taken as the secret of an HMAC."""
    secret = openid_provider.key("first").as_pem(private=False)
    signed = f"{encoded(SYMMETRIC)}.{token.split('.')[1]}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def with_other_words(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = {**json.loads(base64.urlsafe_b64decode(payload + "==")), "sub": "another"}
    return f"{header}.{encoded(json.dumps(claims).encode())}.{signature}"


BAD_TOKENS: dict[str, Callable[[str], str]] = {
    "not signed": unsigned,
    "signed by what everybody knows": signed_by_the_public_key,
    "changed after it was signed": with_other_words,
    "no token at all": lambda token: "nonsense",
    "an empty token": lambda token: "",
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
    assert come_back(client, answer) == 200
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


def says(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


BAD_DISCOVERIES: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "no JSON": says(b"<html>"),
    "no object": says(b"[]"),
    "another status": says(b"{}", 500),
    "a redirect": says(b"", 302, Location="https://other.example/"),
    "no end of it": says(b" " * (exchange.MAX_BYTES + 1)),
    "no answer": hangs_up,
    "nothing in it": says(b"{}"),
}


@pytest.mark.parametrize("answer", [pytest.param(answer, id=name) for name, answer in BAD_DISCOVERIES.items()])
def test_a_provider_that_does_not_describe_itself_sends_nobody_anywhere(
    provider: Provider, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    provider.raw["/.well-known/openid-configuration"] = answer
    request = asked()
    assert browser_that_opened(request.pk).get(f"/identity/oidc/{request.pk}/start").status_code == 503


BAD_METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://other.example"},
    "nowhere to sign in": {"authorization_endpoint": None},
    "an address with another scheme": {"authorization_endpoint": "javascript:alert(1)"},
    "tokens from a machine of our own": {"token_endpoint": "http://10.0.0.1/token"},
    "keys from a file": {"jwks_uri": "file:///etc/passwd"},
    "no signatures": {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    "algorithms that are no list": {"id_token_signing_alg_values_supported": "RS256"},
    "another proof of the client": {"token_endpoint_auth_methods_supported": ["tls_client_auth"]},
}


@pytest.mark.parametrize("metadata", [pytest.param(value, id=name) for name, value in BAD_METADATA.items()])
def test_a_description_that_cannot_be_used_sends_nobody_anywhere(provider: Provider, metadata: dict[str, Any]) -> None:
    provider.metadata = metadata
    request = asked()
    assert browser_that_opened(request.pk).get(f"/identity/oidc/{request.pk}/start").status_code == 503


BAD_KEYS: dict[str, bytes] = {
    "no list": b'{"keys": {}}',
    "no keys": b'{"keys": []}',
    "a secret": b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "first"}]}',
    "a broken key": b'{"keys": [{"kty": "RSA", "kid": "first"}]}',
    "too many": json.dumps({"keys": [{}] * (client_side.MAX_KEYS + 1)}).encode(),
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BAD_KEYS.items()])
def test_keys_that_cannot_be_used_prove_nothing(provider: Provider, body: bytes) -> None:
    provider.raw["/keys"] = says(body)
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 503
    assert state_of(request) == RequestState.IDENTITY_PENDING


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>"])
def test_a_token_endpoint_that_makes_no_sense_proves_nothing(provider: Provider, body: bytes) -> None:
    provider.raw["/token"] = says(body)
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 503


def test_a_provider_that_trickles_holds_nobody(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        try:
            for byte in b"HTTP/1.0 200 OK\r\nX-Long: " + b"x" * 400:
                handler.wfile.write(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            handler.close_connection = True

    provider.raw["/keys"] = trickle
    monkeypatch.setattr(exchange, "TOTAL_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(ProviderError, match="did not answer"):
        exchange.get_object(f"{provider.issuer}/keys")
    assert time.monotonic() - begun < 5


def test_a_host_that_nobody_vouches_for_is_not_asked(provider: Provider, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset()
    with pytest.raises(ProviderError, match="refused"):
        exchange.get_object(f"{provider.issuer}/keys")
    assert provider.asked == []


def test_whoever_signs_in_as_the_person_has_proven_level_two(provider: Provider, settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    request = asked()
    client = browser_that_opened(request.pk)
    provider.change = having(email=f"  {cast.ALICE.upper()} ".strip())
    url = sent_to(client, request.pk)
    assert cast.ALICE not in url and provider.issuer in url
    assert come_back(client, signed_in(url)) == 200
    request.refresh_from_db()
    assert (request.state, request.identity_level) == (RequestState.UNDER_REVIEW, 2)
    last = PendingEntry.objects.filter(request_id=request.pk).latest("pk")
    assert json.loads(bytes(last.leaf))["facts"] == {"level": 2, "method": "oidc"}


def test_whoever_has_one_address_more_proves_nothing_new(provider: Provider) -> None:
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 200
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 409


def test_keys_that_change_are_fetched_anew(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asked(), asked()
    client = browser_that_opened(first.pk)
    assert come_back(client, signed_in(sent_to(client, first.pk))) == 200
    provider.signing_key, provider.published_keys = "second", ("second", "first")
    monkeypatch.setattr(client_side, "MIN_KEY_AGE_SECONDS", 0)
    client = browser_that_opened(second.pk)
    assert come_back(client, signed_in(sent_to(client, second.pk))) == 200
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1, "it is kept for an hour"


def test_a_public_client_shows_the_verifier_alone(provider: Provider, settings: Settings) -> None:
    settings.OIDC_CLIENT_SECRET = ""
    forms: list[bytes] = []

    def token(handler: BaseHTTPRequestHandler) -> None:
        forms.append(handler.headers.get("Authorization", "none").encode())
        says(b'{"error": "invalid_client"}', 401)(handler)

    provider.raw["/token"] = token
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == 403
    assert forms == [b"none"]


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
