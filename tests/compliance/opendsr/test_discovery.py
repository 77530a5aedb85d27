"""What a processor says it serves, and what it then refuses."""

from typing import Any

import pytest

from compliance.opendsr import creation, discovery
from compliance.opendsr.dialect import OPENDSR_2
from compliance.opendsr.discovery import Choice, DiscoveryDocument
from compliance.opendsr.errors import MessageError, OtherHostError, Reason
from compliance.opendsr.identities import IdentityKind
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, SubjectRequestType

from . import messages
from .authority import DOMAIN
from .messages import email, encoded, without

OURS = DiscoveryDocument(
    api_version="2.0",
    supported_identities=(IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW),),
    supported_types=(SubjectRequestType.ERASURE,),
    processor_certificate=f"https://{DOMAIN}/v2/certificate.pem",
)
DOCUMENT: dict[str, Any] = {
    "api_version": "2.0",
    "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
    "supported_subject_request_types": ["erasure"],
    "processor_certificate": f"https://{DOMAIN}/v2/certificate.pem",
}
WRONG = [
    pytest.param("api_version", 2.0, Reason.WRONG_TYPE, id="version"),
    pytest.param("supported_identities", ["email"], Reason.WRONG_TYPE, id="identities"),
    pytest.param("supported_identities", [{"identity_type": "email"}], Reason.MISSING, id="half a pair"),
    pytest.param("supported_subject_request_types", [1], Reason.WRONG_TYPE, id="types"),
    pytest.param("processor_certificate", "http://plain.example/", Reason.WRONG_VALUE, id="certificate"),
]


@pytest.mark.parametrize("member", DOCUMENT)
def test_it_refuses_a_document_without_a_member(member: str) -> None:
    with pytest.raises(MessageError) as caught:
        discovery.parse(encoded(without(DOCUMENT, member)))
    assert (caught.value.member, caught.value.reason) == (member, Reason.MISSING)


@pytest.mark.parametrize(("member", "value", "reason"), WRONG)
def test_it_refuses_a_document_with_a_wrong_member(member: str, value: object, reason: Reason) -> None:
    with pytest.raises(MessageError) as caught:
        discovery.parse(encoded({**DOCUMENT, member: value}))
    assert caught.value.member.startswith(member)
    assert caught.value.reason is reason


@pytest.mark.parametrize("host", ["other.example", f"x.{DOMAIN}", f"{DOMAIN}.other.example", f"other.example/{DOMAIN}"])
def test_it_refuses_a_certificate_on_another_host(host: str) -> None:
    document = discovery.parse(encoded({**DOCUMENT, "processor_certificate": f"https://{host}/cert.pem"}))
    with pytest.raises(OtherHostError):
        discovery.refuse_other_host(document, DOMAIN)


UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "access": ({"subject_request_type": "access"}, "subject_request_type"),
    "a digest": ({"subject_identities": [email("a" * 64, "sha256")]}, "subject_identities"),
    "two digests": ({"subject_identities": [email("a" * 64, "sha256"), email("a" * 32, "md5")]}, "subject_identities"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_it_refuses_what_it_does_not_serve(name: str) -> None:
    members, member = UNSUPPORTED[name]
    request = creation.parse(encoded({**messages.creation(), **members}), OPENDSR_2, DOMAIN)
    with pytest.raises(MessageError) as caught:
        discovery.choose(request, OURS)
    assert (caught.value.member, caught.value.reason) == (member, Reason.UNSUPPORTED)


def test_it_serves_what_it_says() -> None:
    request = creation.parse(encoded(messages.creation()), OPENDSR_2, DOMAIN)
    assert discovery.choose(request, OURS) == Choice(request.identities, ())
    discovery.refuse_other_host(OURS, DOMAIN.upper())


def test_it_tells_which_kinds_it_passes_over() -> None:
    more = {"subject_identities": [email("a" * 32, "md5"), email(), email("b" * 32, "md5")]}
    request = creation.parse(encoded({**messages.creation(), **more}), OPENDSR_2, DOMAIN)
    md5 = IdentityKind(IdentityType.EMAIL, IdentityFormat.MD5)
    assert discovery.choose(request, OURS) == Choice(request.identities[1:2], (md5,))


def test_what_is_written_is_read_back_and_what_others_add_is_left_out() -> None:
    pairs = [{"identity_type": "mpid", "identity_format": "raw"}, *DOCUMENT["supported_identities"]]
    more = {**DOCUMENT, "supported_identities": pairs, "supported_subject_request_types": ["erasure", "opt_out"]}
    assert discovery.parse(OURS.to_bytes()) == discovery.parse(encoded({**more, "extra": 1})) == OURS
