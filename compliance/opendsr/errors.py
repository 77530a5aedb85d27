"""Everything that is refused: one class and one stable code each, and the HTTP status that answers it.

No message repeats what was sent: it may be personal data, and so may the name of an unknown member.
The statuses follow the protocol's security guidelines (401 for domain and certificate, 400 for signature and body);
section 8.8 of the specification names 403 for all of them. A sender acts on "not 2xx" alone.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar


class OpenDsrError(ValueError):
    """A message, signature or certificate that must not be relied upon."""

    code: ClassVar[str] = "refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class Reason(StrEnum):
    """What is wrong with a member, in one word for programs."""

    NOT_JSON = "not_json"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"
    TOO_LARGE = "too_large"
    UNKNOWN_MEMBER = "unknown_member"
    UNSUPPORTED = "unsupported"


_FOUND = {
    Reason.NOT_JSON: "something else",
    Reason.MISSING: "nothing",
    Reason.WRONG_TYPE: "another type",
    Reason.WRONG_VALUE: "another value",
    Reason.TOO_LARGE: "more",
    Reason.UNKNOWN_MEMBER: "another member",
    Reason.UNSUPPORTED: "one that this processor does not serve",
}


class MessageError(OpenDsrError):
    """A message that is not in its format. `member` is a path of the protocol's own names, such as `extensions`."""

    code = "message"

    def __init__(self, member: str, reason: Reason, expected: str) -> None:
        super().__init__(f"{member}: expected {expected}; found {_FOUND[reason]}.")
        self.member = member
        self.reason = reason


class SignatureMissingError(OpenDsrError):
    """No signature header, or several that differ."""

    code = "signature_missing"


class SignatureEncodingError(OpenDsrError):
    """A signature that is not Base64 in its one spelling, or not as long as the key."""

    code = "signature_encoding"


class SignatureMismatchError(OpenDsrError):
    """A signature that this key did not make over these bytes."""

    code = "signature_mismatch"


class WeakKeyError(OpenDsrError):
    """An RSA key below 2048 bits."""

    code = "weak_key"
    status = HTTPStatus.UNAUTHORIZED


class OtherKeyKindError(OpenDsrError):
    """A key that is not RSA."""

    code = "other_key_kind"
    status = HTTPStatus.UNAUTHORIZED


class KeyMismatchError(OpenDsrError):
    """A certificate for another key than the one beside it."""

    code = "key_mismatch"
    status = HTTPStatus.UNAUTHORIZED


class DomainMissingError(OpenDsrError):
    """No domain header, several that differ, or something that is no domain name."""

    code = "domain_missing"
    status = HTTPStatus.UNAUTHORIZED


class UnknownDomainError(OpenDsrError):
    """A domain that is not on the allow-list, or not the one that was asked."""

    code = "unknown_domain"
    status = HTTPStatus.UNAUTHORIZED


class CertificateUnavailableError(OpenDsrError):
    """No certificate of this domain could be had."""

    code = "certificate_unavailable"
    status = HTTPStatus.UNAUTHORIZED


class MalformedCertificateError(OpenDsrError):
    """Not X.509 certificates in PEM, or one with parts that cannot be read."""

    code = "malformed_certificate"
    status = HTTPStatus.UNAUTHORIZED


class SelfSignedError(OpenDsrError):
    """A certificate that its own holder issued."""

    code = "self_signed"
    status = HTTPStatus.UNAUTHORIZED


class NotYetValidError(OpenDsrError):
    """A certificate whose period of validity has not begun."""

    code = "not_yet_valid"
    status = HTTPStatus.UNAUTHORIZED


class ExpiredError(OpenDsrError):
    """A certificate whose period of validity is over."""

    code = "expired"
    status = HTTPStatus.UNAUTHORIZED


class OtherDomainError(OpenDsrError):
    """A certificate without this domain among its alternative names."""

    code = "other_domain"
    status = HTTPStatus.UNAUTHORIZED


class WildcardError(OpenDsrError):
    """A certificate that names this domain through a wildcard alone, where that is not allowed."""

    code = "wildcard"
    status = HTTPStatus.UNAUTHORIZED


class UntrustedChainError(OpenDsrError):
    """A certificate that does not lead to one of the given authorities."""

    code = "untrusted_chain"
    status = HTTPStatus.UNAUTHORIZED


class RevokedError(OpenDsrError):
    """A certificate that its issuer's revocation list names."""

    code = "revoked"
    status = HTTPStatus.UNAUTHORIZED


class RevocationUnknownError(OpenDsrError):
    """Revocation lists were given, but none that is genuine, current and about this certificate."""

    code = "revocation_unknown"
    status = HTTPStatus.UNAUTHORIZED


class OtherHostError(OpenDsrError):
    """A certificate that is published on another host than the discovery document."""

    code = "other_host"
    status = HTTPStatus.UNAUTHORIZED


class OtherCallbackUrlError(OpenDsrError):
    """A genuine callback that was meant for another address."""

    code = "other_callback_url"


class ReplayedError(OpenDsrError):
    """A genuine callback that was taken in before.

    A sender whose first try was received but not answered repeats the same bytes, so the answer is 202 as before; the
    callback is only not acted on again.
    """

    code = "replayed"
    status = HTTPStatus.ACCEPTED
