"""Whether a certificate was taken back, by lists that are given; nothing is fetched.

A list counts if the certificate's own issuer signed it, it is current, it is complete, and it is about this
certificate: authorities split their lists, and a share says so in its issuing distribution point.
Delta and indirect lists, and lists of some reasons alone, do not count. Source: RFC 5280, sections 5.2.5 and 6.3.3.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from compliance.opendsr.errors import RevocationUnknownError, RevokedError

_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def refuse_revoked(
    path: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList], at: datetime
) -> None:
    """Raises RevokedError or RevocationUnknownError for a path from the signer to the root, the root excepted."""
    for certificate, issuer in itertools.pairwise(path):
        covering = [each for each in lists if _covers(each, certificate, issuer, at)]
        if not covering:
            raise RevocationUnknownError(
                f"Expected a current revocation list by {issuer.subject.rfc4514_string()}, found none. "
                "Fetch the list anew."
            )
        serial = certificate.serial_number
        if any(each.get_revoked_certificate_by_serial_number(serial) is not None for each in covering):
            raise RevokedError("The certificate, or one between it and the authority, was revoked by its issuer.")


def _covers(
    revocations: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime
) -> bool:
    until = revocations.next_update_utc
    is_current = revocations.last_update_utc <= at and until is not None and at <= until
    return (
        is_current
        and revocations.issuer == issuer.subject
        and isinstance(revocations.signature_hash_algorithm, _STRONG)
        and _may_sign_lists(issuer)
        and revocations.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        and all(_is_about(extension, certificate) for extension in revocations.extensions if extension.critical)
    )


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_about(extension: x509.Extension[x509.ExtensionType], certificate: x509.Certificate) -> bool:
    """Whether a critical extension is a distribution point that includes this certificate, for any reason."""
    point = extension.value
    if not isinstance(point, x509.IssuingDistributionPoint):
        return False
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs or point.relative_name:
        return False
    is_authority = _is_authority(certificate)
    if (point.only_contains_user_certs and is_authority) or (point.only_contains_ca_certs and not is_authority):
        return False
    return not point.full_name or bool(set(point.full_name) & _points_of(certificate))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _points_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points if not point.crl_issuer for name in point.full_name or ()}
