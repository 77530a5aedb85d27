"""What the identity provider says about itself, and its keys: fetched when first needed, kept for an hour.

Source: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 7517 for the keys.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from compliance.identity.errors import ProviderError
from compliance.identity.openid import exchange

KEPT_SECONDS = 3600.0
# A token under an unknown key has the keys fetched anew, but not over and over.
MIN_KEY_AGE_SECONDS = 10.0
MAX_KEYS = 50
#: Signatures by a key that the provider alone holds. Neither `none` nor an HMAC, which the client could make itself.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_CLIENT_AUTHENTICATIONS = ("client_secret_basic", "client_secret_post")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The part of the provider's metadata that is used. `sends_issuer`: RFC 9207."""

    issuer: str
    authorization_url: str
    token_url: str
    keys_url: str
    algorithms: tuple[str, ...]
    client_authentication: str
    sends_issuer: bool


class _Kept(Generic[ValueT]):
    """One value of each address, for a while. Threads that find none at once may each fetch it; the last one stays."""

    def __init__(self, fetch: Callable[[str], ValueT]) -> None:
        self._fetch = fetch
        self._guard = threading.Lock()
        self._url = ""
        self._fetched_at = 0.0
        self._value: ValueT | None = None

    def get(self, url: str, *, seconds: float) -> ValueT:
        """The value, no older than this; raises ProviderError."""
        with self._guard:
            if self._value is not None and self._url == url and time.monotonic() - self._fetched_at < seconds:
                return self._value
        value = self._fetch(url)
        with self._guard:
            self._url, self._value, self._fetched_at = url, value, time.monotonic()
        return value


def provider() -> Provider:
    """The configured provider; raises ProviderError."""
    return _providers.get(settings.OIDC_ISSUER, seconds=KEPT_SECONDS)


def keys(source: Provider, *, anew: bool = False) -> KeySet:
    """The provider's keys; `anew` after a token named one that is not among them. Raises ProviderError."""
    return _key_sets.get(source.keys_url, seconds=MIN_KEY_AGE_SECONDS if anew else KEPT_SECONDS)


def _read_provider(issuer: str) -> Provider:
    document = exchange.get_object(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ProviderError(
            "The identity provider names another issuer than EXPUNGE_OIDC_ISSUER. Expected the same, to the character."
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        exchange.refuse_other_address(document.get(name))
    return Provider(
        issuer=issuer,
        authorization_url=document["authorization_endpoint"],
        token_url=document["token_endpoint"],
        keys_url=document["jwks_uri"],
        algorithms=_algorithms(document),
        client_authentication=_client_authentication(document),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _algorithms(document: Mapping[str, Any]) -> tuple[str, ...]:
    offered = _texts(document, "id_token_signing_alg_values_supported", ("RS256",))
    usable = tuple(name for name in ALGORITHMS if name in offered)
    if not usable:
        raise ProviderError(f"The identity provider must sign ID tokens by one of {', '.join(ALGORITHMS)}.")
    return usable


def _client_authentication(document: Mapping[str, Any]) -> str:
    if not settings.OIDC_CLIENT_SECRET:
        return "none"
    # Discovery 1.0, section 3: where nothing is said, it is client_secret_basic.
    offered = _texts(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    for name in _CLIENT_AUTHENTICATIONS:
        if name in offered:
            return name
    raise ProviderError(f"The identity provider must take one of {', '.join(_CLIENT_AUTHENTICATIONS)}.")


def _texts(document: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = document.get(name, default)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list | tuple) else ()


def _read_keys(url: str) -> KeySet:
    document = exchange.get_object(url)
    found = document.get("keys")
    if not isinstance(found, list) or len(found) > MAX_KEYS:
        raise ProviderError(f"Expected a list of at most {MAX_KEYS} keys of the identity provider, found another.")
    # Symmetric keys have no place in a published set; keys for encryption are no keys for signatures.
    public = [key for key in found if isinstance(key, dict) and key.get("kty") != "oct" and key.get("use") != "enc"]
    try:
        return KeySet.import_key_set(cast(Any, {"keys": public}))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError(f"The keys of the identity provider cannot be read ({type(error).__name__}).") from None


_providers = _Kept(_read_provider)
_key_sets = _Kept(_read_keys)
