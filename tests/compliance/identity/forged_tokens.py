"""What a forger makes of an ID token."""

import base64
import hmac
import json

from joserfc import jws

from tests.compliance.identity import openid_provider

UNSIGNED, SYMMETRIC = b'{"alg":"none"}', b'{"alg":"HS256","kid":"first"}'


def encoded(data: bytes) -> str:
    """Base64url without padding."""
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


def with_deep_claims(token: str) -> str:
    """Signed as it should be: it is the provider itself that is hostile."""
    return jws.serialize_compact(
        {"alg": "RS256", "kid": "first"}, b"[" * 5_000, openid_provider.key("first"), algorithms=["RS256"]
    )
