"""Control of the address: a one-time code that was mailed to it. Level 1.

Of a code only a digest under a key is kept. Whether it is still valid is read from its row against our own clock, and
each try is counted before it is compared.
"""

from datetime import UTC, datetime

from django.db.models import F

from compliance.identity.method import Method, Shown
from compliance.ledger.actors import Role
from compliance.requests import identities
from compliance.requests.models import DeletionRequest, IdentityChallenge


def _prove(request: DeletionRequest, shown: Shown) -> int:
    live = IdentityChallenge.objects.filter(request=request, attempts_left__gt=0, expires_at__gt=datetime.now(tz=UTC))
    # Counted before it is compared: parallel tries cannot share one.
    if live.update(attempts_left=F("attempts_left") - 1) != 1:
        return 0
    challenge = IdentityChallenge.objects.get(request=request)
    return method.level if identities.same(challenge.code_hmac, identities.code_hmac(request.pk, shown["code"])) else 0


method = Method(
    __name__,
    level=1,
    roles=frozenset({Role.SUBJECT}),
    invitation="enter the code that is mailed to your address",
    refusal="The code is wrong, expired or used up. Ask for a new one, and enter it while it is valid.",
    prove=_prove,
)
