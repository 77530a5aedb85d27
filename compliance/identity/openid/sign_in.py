"""One sign-in at the identity provider: the browser is sent there, and what it comes back with is verified.

Source: OpenID Connect Core 1.0, sections 3.1.2, 3.1.3; RFC 7636 (PKCE, S256); RFC 9207 (issuer in the answer). What the
provider tells about the person lives in local variables only: neither logs nor rows nor messages get it.
"""

import hmac
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from django.conf import settings
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from compliance.identity.errors import ProviderError
from compliance.identity.openid import exchange, provider
from compliance.identity.openid.provider import Provider
from compliance.registry.pseudonyms import pseudonym_of
from compliance.requests.errors import IdentityError

# How long somebody may take to sign in.
PENDING_SECONDS = 600
LEEWAY_SECONDS = 60
_N_CHARACTERS = 48
REFUSAL = (
    "The sign-in does not prove that the request is yours. Sign in again, with the account of the address that the "
    "request was made for."
)
# RFC 6749, section 5.2: a fault of ours, not of the person.
_CLIENT_IS_REFUSED = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A sign-in that has begun: the session of the browser holds it on the server, and gives it out once."""

    request_id: str
    redirect_url: str
    state: str
    nonce: str
    code_verifier: str
    begun_at: float

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """From a session."""
        return cls(**document)

    def to_dict(self) -> dict[str, Any]:
        """For a session."""
        return asdict(self)

    def answers(self, state: str) -> bool:
        """Whether this answer belongs to it, in time. Compared in constant time."""
        is_mine = hmac.compare_digest(self.state.encode(), state.encode())
        return is_mine and 0 <= time.time() - self.begun_at < PENDING_SECONDS


def is_configured() -> bool:
    """Whether an identity provider is named."""
    return bool(settings.OIDC_ISSUER)


def begin(request_id: uuid.UUID, redirect_url: str) -> tuple[str, Pending]:
    """Where to send the browser, and what to remember meanwhile; raises ProviderError."""
    source = provider.provider()
    pending = Pending(
        request_id=str(request_id),
        redirect_url=redirect_url,
        state=generate_token(_N_CHARACTERS),
        nonce=generate_token(_N_CHARACTERS),
        code_verifier=generate_token(_N_CHARACTERS),
        begun_at=time.time(),
    )
    url, _ = _client(source, pending).create_authorization_url(
        source.authorization_url, state=pending.state, code_verifier=pending.code_verifier, nonce=pending.nonce
    )
    return str(url), pending


def finish(pending: Pending, answer: Mapping[str, str], kind: str) -> str:
    """The pseudonym of whoever signed in, for an identifier of this kind. Nothing may be locked meanwhile.

    `answer` holds the parameters of the callback. Raises ProviderError where the provider does not do its part, and
    IdentityError with one sentence for everything else.
    """
    source = provider.provider()
    code = answer.get("code", "")
    if not pending.answers(answer.get("state", "")) or not code or not _is_from(source, answer):
        raise _refused("answer")
    tokens = _tokens(source, pending, code)
    claims = _verified_claims(source, pending, tokens)
    return _pseudonym(claims, kind)


def _client(source: Provider, pending: Pending) -> OAuth2Client:
    return OAuth2Client(
        exchange.Session(),
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET or None,
        token_endpoint_auth_method=source.client_authentication,
        scope=settings.OIDC_SCOPE,
        redirect_uri=pending.redirect_url,
        code_challenge_method="S256",
    )


def _is_from(source: Provider, answer: Mapping[str, str]) -> bool:
    named = answer.get("iss")
    return named == source.issuer or (named is None and not source.sends_issuer)


def _tokens(source: Provider, pending: Pending, code: str) -> Mapping[str, Any]:
    client = _client(source, pending)
    try:
        tokens = client.fetch_token(
            source.token_url, grant_type="authorization_code", code=code, code_verifier=pending.code_verifier
        )
    except AuthlibBaseError as error:
        if error.error in _CLIENT_IS_REFUSED:
            raise ProviderError(
                "The identity provider does not accept this client. Check EXPUNGE_OIDC_CLIENT_ID and its secret."
            ) from None
        raise _refused("code") from None
    except ValueError:
        raise ProviderError("Expected a JSON object of the token endpoint, found something else.") from None
    return dict(tokens)


def _verified_claims(source: Provider, pending: Pending, tokens: Mapping[str, Any]) -> Mapping[str, Any]:
    id_token = tokens.get("id_token")
    if not isinstance(id_token, str):
        raise _refused("no ID token")
    try:
        signed = _decoded(source, id_token)
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {
                "iss": {"essential": True, "value": source.issuer},
                "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
            },
            {
                "nonce": pending.nonce,
                "client_id": settings.OIDC_CLIENT_ID,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, AuthlibBaseError, ValueError, TypeError, RecursionError) as error:
        raise _refused(type(error).__name__) from None
    return dict(claims)


def _decoded(source: Provider, id_token: str) -> jwt.Token:
    registry = JWSRegistry(algorithms=list(source.algorithms), strict_check_header=False)
    try:
        return jwt.decode(id_token, provider.keys(source), registry=registry)
    except InvalidKeyIdError:
        # The provider has changed its keys since they were fetched.
        return jwt.decode(id_token, provider.keys(source, anew=True), registry=registry)


def _pseudonym(claims: Mapping[str, Any], kind: str) -> str:
    name = settings.OIDC_CLAIMS.get(kind)
    value = claims.get(name) if name else None
    if not isinstance(value, str):
        raise _refused("no such claim")
    # Anyone can write any address into a profile; only `true`, and not the text "true", says that it was checked.
    if kind == "email" and claims.get("email_verified") is not True:
        raise _refused("unverified address")
    try:
        return pseudonym_of(kind, value)
    except ValueError:
        raise _refused("no canonical spelling") from None


def _refused(cause: str) -> IdentityError:
    # The cause is a word of ours or the name of a class; what the provider wrote may quote a person.
    logger.info("a sign-in was refused: %s", cause)
    return IdentityError(REFUSAL)
