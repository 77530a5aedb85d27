"""Identity providers that are broken, slow or hostile: nobody is sent anywhere, nothing is proven, nobody is held."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from compliance.identity.errors import ProviderError
from compliance.identity.openid import exchange
from compliance.identity.openid import provider as client_side
from compliance.requests.states import RequestState
from tests.compliance.identity import openid_provider
from tests.compliance.identity.browser import asked, browser_that_opened, come_back, sent_to, signed_in, state_of
from tests.compliance.identity.openid_provider import Provider, says
from tests.compliance.outbound.certificates import Authority

pytestmark = pytest.mark.django_db


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


BAD_DISCOVERIES: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "no JSON": says(b"<html>"),
    "no object": says(b"[]"),
    "nested too deep": says(b"[" * 100_000),
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


BAD_TOKEN_ENDPOINTS: dict[str, tuple[Callable[[BaseHTTPRequestHandler], None], int]] = {
    "nothing": (says(b""), 503),
    "no object": (says(b"[]"), 503),
    "no JSON": (says(b"<html>"), 503),
    "nested too deep": (says(b"[" * 100_000), 503),
    "down": (says(b"{}", 502), 503),
    "busy": (says(b"<html>", 429), 503),
    "no answer": (hangs_up, 503),
    "no ID token": (says(b'{"access_token": "a", "token_type": "Bearer"}'), 403),
    "an ID token that is no text": (says(b'{"id_token": {}}'), 403),
}


@pytest.mark.parametrize(
    ("answer", "status"), [pytest.param(*case, id=name) for name, case in BAD_TOKEN_ENDPOINTS.items()]
)
def test_a_token_endpoint_that_makes_no_sense_proves_nothing(
    provider: Provider, answer: Callable[[BaseHTTPRequestHandler], None], status: int
) -> None:
    provider.raw["/token"] = answer
    request = asked()
    client = browser_that_opened(request.pk)
    assert come_back(client, signed_in(sent_to(client, request.pk))) == status
    assert state_of(request) == RequestState.IDENTITY_PENDING


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


@pytest.mark.parametrize("name", ["localhost", "somebody-else.example"])
def test_a_provider_must_prove_its_name_to_an_authority_that_we_trust(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"localhost"})
    with openid_provider.running({}, authority.server(name)) as running:
        url = f"{running.issuer}/.well-known/openid-configuration"
        with pytest.raises(ProviderError, match="did not answer"):
            exchange.get_object(url)
        settings.OUTBOUND_CA_PATH = authority.path
        if name == "localhost":
            assert exchange.get_object(url)["issuer"] == running.issuer
        else:
            with pytest.raises(ProviderError, match="did not answer"):
                exchange.get_object(url)
