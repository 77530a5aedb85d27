"""From the signer of a time stamp to the pinned root, at the time that the stamp names.

Only what time stamp authorities need: no names are compared, no revocation is asked for, and a certificate with a
critical extension that is not checked here is refused.

Source: RFC 3161, section 2.3; RFC 5280, sections 4.2.1 and 6.1.
"""

import ssl
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from compliance.evidence import timestamp_syntax
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_signature import MIN_RSA_BITS

# What the parsers of certificates raise; some of it is no ValueError.
UNREADABLE: tuple[type[Exception], ...] = (
    ArithmeticError,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_MAX_LENGTH = 6
_CHECKED = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
_ISSUES_FOR = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def load(certificate: bytes) -> x509.Certificate:
    """A certificate in DER; raises TimestampError for a number below one, and one of UNREADABLE."""
    # Its own parser lets this pass with a warning that would reach whoever runs the program.
    if timestamp_syntax.decode(timestamp_syntax.Certificate, certificate).body.serial_number <= 0:
        raise TimestampError("A certificate of the time stamp authority has a number below one.")
    return x509.load_der_x509_certificate(certificate)


def load_authority(authority: Sequence[str]) -> list[x509.Certificate]:
    """The certificates of an authority, its root first; raises TimestampError."""
    try:
        certificates = [load(ssl.PEM_cert_to_DER_cert(pem)) for pem in authority]
    except TimestampError:
        raise
    except UNREADABLE as error:
        raise TimestampError("Expected certificates of a time stamp authority in PEM, found something else.") from error
    if not certificates:
        raise TimestampError("Expected the root certificate of a time stamp authority, found none.")
    return certificates


def refuse_untrusted_signer(
    signer: x509.Certificate, candidates: Sequence[x509.Certificate], root: x509.Certificate, at: datetime
) -> None:
    """Raises TimestampError unless this certificate may sign time stamps and leads to the root at that time."""
    _refuse_other_purpose(signer)
    if not (_is_valid(signer, at) and _is_valid(root, at)):
        raise TimestampError("A certificate of the time stamp authority was not valid at the time of the stamp.")
    between = [each for each in candidates if each not in (signer, root) and _is_valid(each, at)]
    if signer != root and not _leads_to(root, signer, between):
        raise TimestampError("The signer's certificate does not lead to the root in your trust file.")


def _refuse_other_purpose(signer: x509.Certificate) -> None:
    is_for_timestamps = False
    for extension in signer.extensions:
        match extension.value:
            case x509.KeyUsage() as usage if not (usage.digital_signature or usage.content_commitment):
                raise TimestampError("The signer's certificate is not for signatures.")
            case x509.ExtendedKeyUsage() as purposes:
                is_for_timestamps = list(purposes) == [ExtendedKeyUsageOID.TIME_STAMPING] and extension.critical
            case value if extension.critical and not isinstance(value, _CHECKED):
                raise TimestampError(
                    f"The signer's certificate has the critical extension {extension.oid.dotted_string}, which is "
                    "not checked here."
                )
    if not is_for_timestamps:
        raise TimestampError("Expected a signer's certificate for time stamps alone, marked critical; found another.")


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _leads_to(root: x509.Certificate, signer: x509.Certificate, between: Sequence[x509.Certificate]) -> bool:
    """Breadth first; each certificate is reached once, so the search is short whatever was sent along."""
    reached, waiting = [signer], list(between)
    for n_below in range(1, _MAX_LENGTH):
        if _may_issue(root, n_below) and any(is_issued_by(each, root) for each in reached):
            return True
        issuers = [each for each in waiting if _may_issue(each, n_below)]
        reached = [issuer for issuer in issuers if any(is_issued_by(each, issuer) for each in reached)]
        waiting = [each for each in waiting if each not in reached]
    return False


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key, of decent size, signed this certificate over a hash of SHA-2."""
    try:
        if not isinstance(certificate.signature_hash_algorithm, _STRONG):
            return False
        key = issuer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
            return False
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return False
    return True


def _may_issue(issuer: x509.Certificate, n_below: int) -> bool:
    """Whether it is an authority, for time stamps too, with room for the certificates below it (signer included)."""
    is_authority = False
    for extension in issuer.extensions:
        match extension.value:
            case x509.BasicConstraints() as constraints:
                has_room = constraints.path_length is None or constraints.path_length >= n_below - 1
                is_authority = constraints.ca and has_room
            case x509.KeyUsage() as usage if not usage.key_cert_sign:
                return False
            case x509.ExtendedKeyUsage() as purposes if not _ISSUES_FOR & set(purposes):
                return False
            case value if extension.critical and not isinstance(value, _CHECKED):
                return False
    return is_authority
