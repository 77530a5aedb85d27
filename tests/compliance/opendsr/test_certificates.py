"""A certificate is refused for one reason at a time, and each reason has its name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from compliance.opendsr import certificates
from compliance.opendsr.certificates import TrustPolicy
from compliance.opendsr.errors import (
    ExpiredError,
    MalformedCertificateError,
    NotYetValidError,
    OpenDsrError,
    OtherDomainError,
    OtherKeyKindError,
    RevocationUnknownError,
    RevokedError,
    SelfSignedError,
    UnknownDomainError,
    UntrustedChainError,
    WeakKeyError,
    WildcardError,
)

from .authority import (
    AT,
    DOMAIN,
    LIST_URL,
    VALID_FROM,
    VALID_UNTIL,
    Authority,
    Issuer,
    ListTerms,
    Terms,
    ec_key,
    new_authority,
    pem_of,
    rsa_key,
    self_signed,
)

Chain = tuple[x509.Certificate, ...]
CLIENT_AUTH = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")
TOMORROW, YESTERDAY = AT + timedelta(days=1), AT - timedelta(days=1)


def impostor() -> Authority:
    """The names of our authority over other keys."""
    stranger = new_authority("Stranger")
    ours = new_authority()
    return Authority(stranger.root, Issuer(ours.between.certificate, stranger.between.key))


def issued_by_processor(ours: Authority) -> Chain:
    """A certificate that a mere processor signed."""
    chain = ours.chain(rsa_key(name="stranger"), Terms(common_name="Stranger"))
    return Issuer(chain[0], rsa_key(name="stranger")).issue(rsa_key()), *chain


REFUSED: dict[str, tuple[Callable[[Authority], Chain], type[OpenDsrError]]] = {
    "no certificate": (lambda _: (), MalformedCertificateError),
    "an elliptic key": (lambda ours: ours.chain(ec_key("processor")), OtherKeyKindError),
    "a key of 1024 bits": (lambda ours: ours.chain(rsa_key(1024)), WeakKeyError),
    "self-signed": (lambda _: (self_signed(rsa_key()),), SelfSignedError),
    "self-signed, with a chain": (lambda ours: (self_signed(rsa_key()), *ours.chain()), SelfSignedError),
    "not yet valid": (lambda ours: ours.chain(terms=Terms(valid_from=TOMORROW)), NotYetValidError),
    "expired": (lambda ours: ours.chain(terms=Terms(valid_until=YESTERDAY)), ExpiredError),
    "another name": (lambda ours: ours.chain(terms=Terms(names=("other.example",))), OtherDomainError),
    "a longer name": (lambda ours: ours.chain(terms=Terms(names=(f"x.{DOMAIN}",))), OtherDomainError),
    "the parent's name": (lambda ours: ours.chain(terms=Terms(names=("processor.example",))), OtherDomainError),
    "no name": (lambda ours: ours.chain(terms=Terms(names=(), common_name=DOMAIN)), OtherDomainError),
    "a wildcard": (lambda ours: ours.chain(terms=Terms(names=("*.processor.example",))), WildcardError),
    "a wildcard above": (lambda ours: ours.chain(terms=Terms(names=("*.example",))), OtherDomainError),
    "another authority": (lambda _: new_authority("Stranger").chain(), UntrustedChainError),
    "an authority of the same name": (lambda _: impostor().chain(), UntrustedChainError),
    "nothing between": (lambda ours: ours.chain()[:1], UntrustedChainError),
    "for clients alone": (lambda ours: ours.chain(terms=Terms(purposes=(CLIENT_AUTH,))), UntrustedChainError),
    "issued by a processor": (issued_by_processor, UntrustedChainError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_a_certificate(name: str, authority: Authority) -> None:
    make, kind = REFUSED[name]
    with pytest.raises(OpenDsrError) as caught:
        certificates.trusted_key(DOMAIN, make(authority), authority.policy(), AT)
    assert caught.type is kind


def test_it_refuses_a_domain_that_is_not_on_the_list(authority: Authority) -> None:
    with pytest.raises(UnknownDomainError) as caught:
        certificates.trusted_key("jane.example", authority.chain(), authority.policy(), AT)
    assert "jane" not in str(caught.value)


def share(url: str | None = LIST_URL, **changes: bool) -> ListTerms:
    """A list that is one share of several, for processors alone unless changed."""
    terms = {
        "only_contains_user_certs": True,
        "only_contains_ca_certs": False,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    point = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)] if url else None,
        relative_name=None,
        only_some_reasons=None,
        **terms | changes,
    )
    return ListTerms(extensions=((point, True),))


LISTS: dict[str, Callable[[Authority], x509.CertificateRevocationList]] = {
    "stale": lambda ours: ours.between.list(ListTerms(updated_at=AT - timedelta(days=9), next_at=YESTERDAY)),
    "of tomorrow": lambda ours: ours.between.list(ListTerms(updated_at=TOMORROW)),
    "of another authority": lambda _: new_authority("Stranger").between.list(),
    "under our issuer's name": lambda _: impostor().between.list(),
    "under a short hash": lambda ours: ours.between.list(ListTerms(digest=hashes.SHA224())),
    "under another name": lambda ours: Issuer(ours.root.certificate, ours.between.key).list(),
    "a share with others": lambda ours: ours.between.list(share("http://other.example/")),
    "of authorities": lambda ours: ours.between.list(
        share(only_contains_user_certs=False, only_contains_ca_certs=True)
    ),
    "for other authorities": lambda ours: ours.between.list(share(indirect_crl=True)),
    "of attributes": lambda ours: ours.between.list(
        share(only_contains_user_certs=False, only_contains_attribute_certs=True)
    ),
    "a mere difference": lambda ours: ours.between.list(ListTerms(extensions=((x509.DeltaCRLIndicator(1), True),))),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_does_not_count_leaves_revocation_unknown(name: str, authority: Authority) -> None:
    chain = authority.chain(terms=Terms(list_url=LIST_URL))
    policy = authority.policy(lists=[LISTS[name](authority), authority.root.list()])
    with pytest.raises(RevocationUnknownError):
        certificates.trusted_key(DOMAIN, chain, policy, AT)


def test_each_certificate_below_the_root_has_to_be_covered(authority: Authority) -> None:
    with pytest.raises(RevocationUnknownError, match="Example root"):
        certificates.trusted_key(DOMAIN, authority.chain(), authority.policy(lists=[authority.between.list()]), AT)


def test_a_list_of_processors_says_nothing_of_their_issuer(authority: Authority) -> None:
    lists = [authority.between.list(share(None)), authority.root.list(share(None))]
    with pytest.raises(RevocationUnknownError, match="Example root"):
        certificates.trusted_key(DOMAIN, authority.chain(), authority.policy(lists=lists), AT)


def test_a_list_does_not_count_whose_issuer_may_sign_none() -> None:
    ours = new_authority("Plain", signs_lists=False)
    policy = ours.policy(lists=[ours.between.list(), ours.root.list()])
    with pytest.raises(RevocationUnknownError, match="Plain issuer"):
        certificates.trusted_key(DOMAIN, ours.chain(), policy, AT)


def test_it_refuses_a_chain_through_an_expired_issuer(authority: Authority) -> None:
    chain = authority.chain(terms=Terms(valid_until=VALID_UNTIL + timedelta(days=99)))
    with pytest.raises(UntrustedChainError):
        certificates.trusted_key(DOMAIN, chain, authority.policy(), VALID_UNTIL + timedelta(days=1))


def test_it_refuses_a_revoked_certificate_whichever_list_names_it(authority: Authority) -> None:
    chain = authority.chain(terms=Terms(list_url=LIST_URL))
    for revoked in (ListTerms(revoked=chain[:1]), replace(share(), revoked=chain[:1])):
        lists = [authority.between.list(), authority.between.list(revoked), authority.root.list()]
        with pytest.raises(RevokedError):
            certificates.trusted_key(DOMAIN, chain, authority.policy(lists=lists), AT)


def test_it_refuses_a_chain_through_a_revoked_issuer(authority: Authority) -> None:
    lists = [authority.between.list(), authority.root.list(ListTerms(revoked=(authority.between.certificate,)))]
    with pytest.raises(RevokedError):
        certificates.trusted_key(DOMAIN, authority.chain(), authority.policy(lists=lists), AT)


NO_CHAINS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"hello", id="no certificate"),
    pytest.param(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", id="cut off"),
]


@pytest.mark.parametrize("pem", NO_CHAINS)
def test_it_refuses_a_file_that_holds_no_chain(pem: bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        certificates.parse_chain(pem)


def test_it_refuses_a_file_that_is_too_large(authority: Authority) -> None:
    pem = pem_of(*authority.chain())
    assert len(certificates.parse_chain(pem + b"\n" * 99)) == 2
    with pytest.raises(MalformedCertificateError, match="bytes"):
        certificates.parse_chain(pem + b"\n" * certificates.MAX_CHAIN_BYTES)


def test_it_refuses_a_file_of_too_many_certificates(authority: Authority) -> None:
    with pytest.raises(MalformedCertificateError, match="found 11"):
        certificates.parse_chain(pem_of(*[authority.root.certificate] * 11))


@pytest.mark.parametrize("domains", [frozenset({"Processor.example"}), frozenset({"localhost"}), frozenset({"*.a.b"})])
def test_a_policy_has_domains_in_their_one_spelling(domains: frozenset[str], authority: Authority) -> None:
    with pytest.raises(ValueError, match="domain"):
        TrustPolicy(domains=domains, authorities=(authority.root.certificate,))


def test_a_policy_without_an_authority_is_refused() -> None:
    with pytest.raises(ValueError, match="authority"):
        TrustPolicy(domains=frozenset({DOMAIN}), authorities=())


@pytest.mark.parametrize("n_bits", [2048, 3072])
def test_a_certificate_of_a_known_authority_is_believed(n_bits: int, authority: Authority) -> None:
    key = rsa_key(n_bits)
    chain = certificates.parse_chain(pem_of(*authority.chain(key)))
    assert certificates.trusted_key(DOMAIN, chain, authority.policy(), AT) == key.public_key()


@pytest.mark.parametrize("at", [VALID_FROM, VALID_UNTIL], ids=["first moment", "last moment"])
def test_a_certificate_is_believed_from_its_first_to_its_last_moment(authority: Authority, at: datetime) -> None:
    assert certificates.trusted_key(DOMAIN, authority.chain(), authority.policy(), at) == rsa_key().public_key()


def test_a_certificate_that_no_list_names_is_believed(authority: Authority) -> None:
    chain = authority.chain(terms=Terms(list_url=LIST_URL))
    other = replace(share(), revoked=authority.chain()[:1])
    lists = [authority.between.list(other), authority.root.list()]
    assert certificates.trusted_key(DOMAIN, chain, authority.policy(lists=lists), AT) == rsa_key().public_key()


def test_a_wildcard_is_believed_where_that_is_allowed(authority: Authority) -> None:
    chain = authority.chain(terms=Terms(names=("*.processor.example",)))
    policy = authority.policy(allows_wildcards=True)
    assert certificates.trusted_key(DOMAIN, chain, policy, AT) == rsa_key().public_key()
