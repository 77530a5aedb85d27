"""Signed in at the identity provider of this controller (OpenID Connect Core 1.0, code flow with PKCE). Level 2.

What the provider said is verified by openid/sign_in.py before, without a transaction; what arrives here is a pseudonym.
It must be that of the identifier in the vault: being signed in as somebody is not enough.
"""

from compliance.identity.method import Method, Shown
from compliance.identity.openid import sign_in
from compliance.ledger.actors import Role
from compliance.requests import identities
from compliance.requests.models import DeletionRequest


def _prove(request: DeletionRequest, shown: Shown) -> int:
    return method.level if identities.same(request.vault.pseudonym, shown["pseudonym"]) else 0


method = Method(
    __name__,
    level=2,
    roles=frozenset({Role.SUBJECT}),
    invitation="sign in with the account that belongs to your address",
    refusal=sign_in.REFUSAL,
    prove=_prove,
    is_offered=sign_in.is_configured,
)
