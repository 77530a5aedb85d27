"""Why a receiver believes that a key is a processor's: one reason to refuse after the other, each with its own error.

The last question, whether the certificate leads to a given authority, is answered by the library's verifier under its
profile for the public web; the others come first so that the refusal says what to mend.
Source: OpenDSR 2.0, section 4.1, and its security guidelines; RFC 5280; RFC 6125, section 6.4.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from compliance.opendsr import addresses, revocation, signatures
from compliance.opendsr.errors import (
    ExpiredError,
    MalformedCertificateError,
    NotYetValidError,
    OpenDsrError,
    OtherDomainError,
    SelfSignedError,
    UnknownDomainError,
    UntrustedChainError,
    WildcardError,
)

MAX_CHAIN_BYTES = 2**16
_MAX_CERTIFICATES = 10
# What the parsers of certificates raise; some of it is no ValueError.
_UNREADABLE = (
    TypeError,
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, kw_only=True)
class TrustPolicy:
    """Whom a receiver believes. `domains` are in lower case; `authorities` are the roots.

    Once `revocation_lists` has one list, each certificate below the root has to be covered by one.
    """

    domains: frozenset[str]
    authorities: tuple[x509.Certificate, ...]
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = field(default=(), repr=False)
    allows_wildcards: bool = False

    def __post_init__(self) -> None:
        if not self.authorities:
            raise ValueError("Expected the certificate of at least one authority, found none.")
        if any(domain != addresses.parse_domain(domain) for domain in self.domains):
            raise ValueError("Expected processor domains in lower case, found another spelling.")


def parse_chain(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM file, the signer's first; raises MalformedCertificateError."""
    if len(pem) > MAX_CHAIN_BYTES:
        raise MalformedCertificateError(f"Expected certificates of at most {MAX_CHAIN_BYTES} bytes, found more.")
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem))
    except _UNREADABLE as error:
        raise MalformedCertificateError("Expected X.509 certificates in PEM, found something else.") from error
    if len(chain) > _MAX_CERTIFICATES:
        raise MalformedCertificateError(f"Expected at most {_MAX_CERTIFICATES} certificates, found {len(chain)}.")
    return chain


def load_chain(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates in a file, the signer's first; raises MalformedCertificateError, OSError."""
    with path.open("rb") as file:
        return parse_chain(file.read(MAX_CHAIN_BYTES + 1))


def refuse_unknown_domain(domain: str, policy: TrustPolicy) -> None:
    """Raises UnknownDomainError for a domain that is not on the allow-list."""
    if domain not in policy.domains:
        raise UnknownDomainError("Expected a processor domain on the allow-list, found another.")


def trusted_key(domain: str, chain: Sequence[x509.Certificate], policy: TrustPolicy, at: datetime) -> rsa.RSAPublicKey:
    """The key of the first certificate, once all of it is believed of `domain` at the time `at`.

    Raises UnknownDomainError, MalformedCertificateError, OtherKeyKindError, WeakKeyError, SelfSignedError,
    NotYetValidError, ExpiredError, OtherDomainError, WildcardError, UntrustedChainError, RevokedError,
    RevocationUnknownError.
    """
    refuse_unknown_domain(domain, policy)
    if not chain:
        raise MalformedCertificateError("Expected the certificate of the processor, found none.")
    signer, between = chain[0], chain[1:]
    try:
        key = signatures.strong_rsa(signer.public_key())
        refuse_self_signed(signer)
        refuse_outside_validity(signer, at)
        refuse_other_domain(signer, domain, allows_wildcards=policy.allows_wildcards)
        path = _path_to_authority(signer, between, domain, policy, at)
        if policy.revocation_lists:
            revocation.refuse_revoked(path, policy.revocation_lists, at)
    except OpenDsrError:
        raise
    except _UNREADABLE as error:
        raise MalformedCertificateError("Expected certificates whose every part can be read, found another.") from error
    return key


def refuse_self_signed(signer: x509.Certificate) -> None:
    """Raises SelfSignedError for a certificate that names its holder as issuer."""
    if signer.issuer == signer.subject:
        raise SelfSignedError("Expected a certificate that an authority issued, found a self-signed one.")


def refuse_outside_validity(signer: x509.Certificate, at: datetime) -> None:
    """Raises NotYetValidError or ExpiredError."""
    if at < signer.not_valid_before_utc:
        raise NotYetValidError(f"The certificate is not valid before {signer.not_valid_before_utc.isoformat()}.")
    if at > signer.not_valid_after_utc:
        raise ExpiredError(f"The certificate was valid until {signer.not_valid_after_utc.isoformat()}.")


def refuse_other_domain(signer: x509.Certificate, domain: str, *, allows_wildcards: bool = False) -> None:
    """Raises OtherDomainError or WildcardError unless an alternative name is this domain. The common name is not read."""
    names = _dns_names(signer)
    if domain in names:
        return
    if f"*.{domain.partition('.')[2]}" not in names:
        raise OtherDomainError(f"Expected {domain} among the certificate's alternative names, found only others.")
    if not allows_wildcards:
        raise WildcardError(f"Expected {domain} itself among the certificate's alternative names, found a wildcard.")


def _dns_names(signer: x509.Certificate) -> set[str]:
    try:
        names = signer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {name.lower() for name in names.get_values_for_type(x509.DNSName)}


def _path_to_authority(
    signer: x509.Certificate, between: Sequence[x509.Certificate], domain: str, policy: TrustPolicy, at: datetime
) -> list[x509.Certificate]:
    """From the signer to the root, both included."""
    builder = PolicyBuilder().store(Store(list(policy.authorities))).time(at)
    verifier = builder.build_server_verifier(x509.DNSName(addresses.parse_domain(domain)))
    try:
        return verifier.verify(signer, list(between))
    except VerificationError as error:
        raise UntrustedChainError(
            "The certificate does not lead to one of the given authorities. Publish the certificates between with it, "
            "or add the authority if you trust it."
        ) from error
