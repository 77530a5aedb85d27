"""What a processor says of itself, and whether it serves a request. Source: OpenDSR 2.0, section 6."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import addresses, identities, members
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.errors import MessageError, OtherHostError, Reason
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.members import Members
from compliance.opendsr.vocabulary import SubjectRequestType

_MAX_ITEMS = 200


@dataclass(frozen=True, kw_only=True)
class DiscoveryDocument:
    """What is served, and the URL of the certificate chain in PEM."""

    api_version: str
    supported_identities: tuple[IdentityKind, ...]
    supported_types: tuple[SubjectRequestType, ...]
    processor_certificate: str

    def to_bytes(self) -> bytes:
        """The body of the answer."""
        return canonical.dumps(
            {
                "api_version": self.api_version,
                "supported_identities": [kind.to_dict() for kind in self.supported_identities],
                "supported_subject_request_types": [each.value for each in self.supported_types],
                "processor_certificate": self.processor_certificate,
            }
        )


def parse(body: bytes, schemes: Collection[str] = addresses.SECURE) -> DiscoveryDocument:
    """The document of any processor; raises MessageError. Kinds and types that the protocol does not list are left out."""
    found = members.read(body)
    version = found.version("api_version")
    if version is None:
        raise MessageError("api_version", Reason.MISSING, "a version such as 2.0")
    types = found.array("supported_subject_request_types", _MAX_ITEMS)
    return DiscoveryDocument(
        api_version=version,
        supported_identities=_known_kinds(found.objects("supported_identities", _MAX_ITEMS)),
        supported_types=tuple(each for each in SubjectRequestType if _is_listed(each, types)),
        processor_certificate=found.url("processor_certificate", schemes),
    )


@dataclass(frozen=True)
class Choice:
    """Of the identities in a request, those that are looked up, and the kinds of the others."""

    served: tuple[Identity, ...]
    ignored: tuple[IdentityKind, ...]


def choose(request: CreateRequest, document: DiscoveryDocument) -> Choice:
    """What the processor looks up; raises MessageError for a type that it does not serve, or with nothing to look up.

    Who passes something over has to tell the controller so (outcome.Outcome.ignored_identities).
    """
    if request.type not in document.supported_types:
        expected = f"one of {', '.join(document.supported_types)}"
        raise MessageError("subject_request_type", Reason.UNSUPPORTED, expected)
    served = tuple(each for each in request.identities if each.kind in document.supported_identities)
    if not served:
        kinds = ", ".join(f"{kind.type.value} as {kind.format.value}" for kind in document.supported_identities)
        raise MessageError("subject_identities", Reason.UNSUPPORTED, f"an identity of: {kinds}")
    return Choice(served, tuple(sorted({each.kind for each in request.identities if each not in served})))


def refuse_other_host(document: DiscoveryDocument, domain: str) -> None:
    """Raises OtherHostError unless the certificate is published on the host that was asked for the document."""
    if addresses.host_of(document.processor_certificate) != domain.lower():
        raise OtherHostError(
            "Expected processor_certificate on the host of the discovery document, found another host. "
            "Ask the processor to publish it there."
        )


def _known_kinds(pairs: Iterable[Members]) -> tuple[IdentityKind, ...]:
    kinds = []
    for pair in pairs:
        try:
            kinds.append(identities.parse_kind(pair))
        except MessageError as error:
            if error.reason is not Reason.WRONG_VALUE:
                raise
    return tuple(kinds)


def _is_listed(each: SubjectRequestType, types: list[Any]) -> bool:
    if not all(isinstance(value, str) for value in types):
        raise MessageError("supported_subject_request_types", Reason.WRONG_TYPE, "an array of strings")
    return each.value in types
