"""A small OpenID provider on this machine: real HTTP, real keys, codes that work once, PKCE that is checked.

It does what OpenID Connect Core 1.0 asks for; a test makes one thing wrong by changing its attributes.
"""

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "expunge-test", "s3cret+of/the=client"
_BASIC = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
# How the client shows who it is → Authorization, client_id and client_secret of the request for tokens.
_CLIENTS = {
    "client_secret_basic": (_BASIC, None, None),
    "client_secret_post": ("", CLIENT_ID, CLIENT_SECRET),
    "none": ("", CLIENT_ID, None),
}


@cache
def key(name: str) -> RSAKey:
    """The signing key of this name, made once for a run."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@dataclass
class Provider:
    """What it says and how it signs. `person` is who is signed in there."""

    person: dict[str, Any]
    issuer: str = ""
    client: str = "client_secret_basic"
    signing_key: str = "first"
    published_keys: tuple[str, ...] = ("first",)
    header: dict[str, Any] = field(default_factory=dict)
    #: Applied to the claims of each ID token before it is signed.
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict
    #: Applied to the signed ID token.
    forge: Callable[[str], str] = str
    metadata: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.metadata,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [key(name).as_dict(private=False) for name in self.published_keys]}

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Where the browser of the person, who is signed in and agrees, is sent back to."""
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        shown = (authorization, form.get("client_id"), form.get("client_secret"))
        if shown != _CLIENTS[self.client]:
            return 401, {"error": "invalid_client", "error_description": f"{shown}"}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
            or form.get("grant_type") != "authorization_code"
        ):
            return 400, {"error": "invalid_grant", "error_description": f"no code for {self.person}"}
        return 200, {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.id_token(asked.get("nonce", "")),
        }

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "person-1", "exp": now + 300, "iat": now, "nonce": nonce}
        header = {"alg": "RS256", "kid": self.signing_key, **self.header}
        signed = jws.serialize_compact(
            header, json.dumps(self.change({**claims, **self.person})), key(self.signing_key), algorithms=["RS256"]
        )
        return self.forge(signed)


@contextmanager
def running(person: Mapping[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[Provider]:
    """A provider at which this person is signed in; with TLS its name is localhost."""
    provider = Provider(dict(person))

    class Handler(_Handler):
        of = provider

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    if tls is not None:
        provider.issuer = f"https://localhost:{server.server_address[1]}"
        # The handshake is made by the thread of its connection: one that fails does not end the server.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: Provider

    def log_message(self, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.of.asked.append(parts.path)
        if parts.path in self.of.raw:
            self.of.raw[parts.path](self)
        elif parts.path == "/.well-known/openid-configuration":
            self._say(200, self.of.discovery())
        elif parts.path == "/keys":
            self._say(200, self.of.keys())
        elif parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.of.authorize({k: v[0] for k, v in parse_qs(parts.query).items()}))
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        self.of.asked.append(self.path)
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path in self.of.raw:
            self.of.raw[self.path](self)
        else:
            values = {name: value[0] for name, value in form.items()}
            self._say(*self.of.token(values, self.headers.get("Authorization", "")))

    def _say(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def says(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """What answers with this body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer
