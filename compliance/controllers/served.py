"""What this processor can look up and do, and what it takes from a request."""

from dataclasses import dataclass, field

from django.conf import settings

from compliance.opendsr import discovery
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import OPENDSR_2, Dialect
from compliance.opendsr.discovery import DiscoveryDocument
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, SubjectRequestType
from compliance.registry.pseudonyms import IDENTIFIER_KINDS, canonical_identifier

CERTIFICATE_PATH = "/v2/certificate"
_TYPE_NAMES = {each.value for each in IdentityType}
#: Lineage is searched by keyed pseudonyms of the clear text: what comes hashed is found nowhere.
SUPPORTED = tuple(
    IdentityKind(IdentityType(kind), IdentityFormat.RAW) for kind in IDENTIFIER_KINDS if kind in _TYPE_NAMES
)


@dataclass(frozen=True)
class Person:
    """Whom a request names: the identifier to look up, and the kinds of those that were not."""

    kind: str
    value: str = field(repr=False)
    ignored: tuple[IdentityKind, ...]


def document(dialect: Dialect = OPENDSR_2) -> DiscoveryDocument:
    """What is served under discovery."""
    return DiscoveryDocument(
        api_version=dialect.api_version,
        supported_identities=SUPPORTED,
        supported_types=(SubjectRequestType.ERASURE,),
        processor_certificate=f"https://{settings.OPENDSR_DOMAIN}{CERTIFICATE_PATH}",
    )


def person_of(asked: CreateRequest) -> Person:
    """The one identifier in a request that can be looked up; raises MessageError for none, and for several.

    Of several addresses all but one would be told as erased without having been looked for, so that each takes a
    request of its own. One address in two spellings is one.
    """
    choice = discovery.choose(asked, document())
    spelled = {_spelled(identity) for identity in choice.served}
    if None in spelled:
        expected = "an e-mail address such as name@example.org"
        raise MessageError("subject_identities", Reason.WRONG_VALUE, expected)
    if len(spelled) > 1:
        expected = "one identity that is looked up here, and a request of its own for each further one"
        raise MessageError("subject_identities", Reason.TOO_LARGE, expected)
    identity = choice.served[0]
    return Person(identity.kind.type.value, identity.value, choice.ignored)


def _spelled(identity: Identity) -> str | None:
    """The one spelling; None instead of an error, which would stay with the refusal."""
    try:
        return canonical_identifier(identity.kind.type.value, identity.value)
    except ValueError:
        return None
