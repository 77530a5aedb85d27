"""Another controller passed the request on and answers for who asks, as OpenDSR has it. Level 2.

Whether the message is the controller's is settled before, by the authentication and the signature of the protocol; this
records that it vouches.
"""

from compliance.identity.method import Method, Shown
from compliance.ledger.actors import Role
from compliance.requests.models import DeletionRequest


def _prove(request: DeletionRequest, shown: Shown) -> int:
    return method.level


method = Method(
    __name__,
    level=2,
    roles=frozenset({Role.CONTROLLER}),
    invitation="let the controller that passes your request on vouch for you",
    refusal="The controller does not vouch for the person.",
    prove=_prove,
)
