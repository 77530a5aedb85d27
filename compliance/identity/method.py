"""The contract of a way to prove an identity: one file in methods/, whose name is the word that the ledger records.

Levels, as Art. 12(6) GDPR has it: no more is asked for than the doubt calls for. `settings.IDENTITY_LEVEL` says how
much this controller needs before a request is reviewed.

1  control of the address: whoever reads its mail
2  an account that somebody else answers for: signed in at an identity provider, known to staff, vouched for by a controller
3  the person: recognised by staff, in person, in a video call or by a document that was shown
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass

from compliance.ledger.actors import Role
from compliance.requests.models import DeletionRequest

LEVELS = (1, 2, 3)

#: What a method is shown, such as {"code": "0123456789"}.
Shown = Mapping[str, str]


def _always() -> bool:
    """Without configuration."""
    return True


@dataclass(frozen=True)
class Method:
    """What a file in methods/ defines as `method = Method(__name__, …)`.

    `level` is the most that it proves and `roles` are those that may use it. `invitation` completes "You can …" in
    what a person is told. `prove` runs inside the transaction that records the proof, with the request locked, and
    returns the level that was proven, or 0 for a proof that fails; what it writes (a try that was spent) stays either
    way. It raises InvalidInputError for something that is no proof at all; it never waits for a network. `refusal` is
    the one sentence for every cause of a failed proof, so that nothing can be probed. `is_offered` says whether this
    installation is set up for it.
    """

    module: str
    _: KW_ONLY
    level: int
    roles: frozenset[Role]
    invitation: str
    refusal: str
    prove: Callable[[DeletionRequest, Shown], int]
    is_offered: Callable[[], bool] = _always

    @property
    def name(self) -> str:
        """The name of its file, and its word in the ledger."""
        return self.module.rpartition(".")[2]
