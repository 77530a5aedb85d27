"""Staff checked who asks, by one of a closed list of means. The means give the level: 2 or 3.

Documents are looked at and given back: proportionate is what settles the doubt (Art. 12(6) GDPR), and no copy is kept
(Art. 5(1)(c)). There is no place for a remark, so none can hold personal data.
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import TextChoices

from compliance.identity.method import Method, Shown
from compliance.ledger.actors import Role
from compliance.requests.choices import chosen
from compliance.requests.models import DeletionRequest


class Means(TextChoices):
    """How staff checked the identity."""

    CUSTOMER_ACCOUNT = "customer_account", "Asked from within a customer account that is known to be theirs"
    CALLED_BACK = "called_back", "Called back at a number that was on file before"
    IN_PERSON = "in_person", "Recognised in person"
    VIDEO_CALL = "video_call", "Recognised in a video call"
    DOCUMENT_SHOWN = "document_shown", "A document was shown, compared, and not kept"


LEVEL_BY_MEANS: Mapping[Means, int] = MappingProxyType(
    {
        Means.CUSTOMER_ACCOUNT: 2,
        Means.CALLED_BACK: 2,
        Means.IN_PERSON: 3,
        Means.VIDEO_CALL: 3,
        Means.DOCUMENT_SHOWN: 3,
    }
)


def _prove(request: DeletionRequest, shown: Shown) -> int:
    return LEVEL_BY_MEANS[chosen(Means, "means", shown["means"])]


method = Method(
    __name__,
    level=max(LEVEL_BY_MEANS.values()),
    roles=frozenset({Role.OPERATOR, Role.DPO}),
    invitation="show staff who you are",
    refusal="Staff did not find that the person is who they say. Ask for another proof.",
    prove=_prove,
)
