"""Asking a time stamp authority: RFC 3161 over HTTP. What it answers is kept only once it verifies as an auditor would.

The authority sees a hash and nothing else.

Source: RFC 3161, sections 2.4.1, 2.4.2 and 3.4.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier
from django.conf import settings

from compliance.evidence import bounded_post, timestamp, timestamp_syntax
from compliance.evidence.bounded_post import NoAnswerError, TooLongAnswerError
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_syntax import HashAlgorithm, MessageImprint, Refusal, Reply, TimestampRequest
from compliance.ledger import tokens, trust_file
from compliance.ledger.publisher import MAX_CLOCK_DIFFERENCE, StampError

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_NONCE_BITS = 63
_GRANTED = (0, 1)
_FAILURES = {
    0: "the hash algorithm",
    2: "the kind of request",
    5: "the format of the request",
    14: "for lack of a time source",
    15: "the policy",
    16: "an extension",
    17: "additional information that it does not have",
    25: "for a failure of its own",
}
_TRANSIENT_FAILURES = (14, 25)


class AuthorityError(StampError):
    """The authority gave no token. `is_retryable`: the same call may succeed later, with no person's help."""

    is_retryable: ClassVar[bool] = False


class AuthorityUnreachableError(AuthorityError):
    """No answer in time, or one that says that the authority is not well."""

    is_retryable = True


class AuthorityRefusedError(AuthorityError):
    """The authority does not take such requests: somebody must look at its address and its conditions."""


class AuthorityAnswerError(AuthorityError):
    """An answer that is none, or a token that an auditor would refuse."""


@dataclass(frozen=True)
class HttpAuthority:
    """The authority at a URL. `authorities` are the chains that an auditor is asked to trust, each with its root first."""

    url: str
    authorities: Sequence[Sequence[str]]
    timeout_seconds: float = 10.0

    def stamp(self, data: bytes) -> tuple[bytes, datetime]:
        """A token over these bytes that verifies, and its time in UTC; raises AuthorityError."""
        return _request(data, self.url, self.authorities, self.timeout_seconds)

    def verified_at(self, token: bytes, data: bytes) -> datetime | None:
        """The time in a stored token over these bytes, None where it is no token of these authorities."""
        return tokens.verified_at(token, data, self.authorities)


def configured() -> HttpAuthority | None:
    """The authority of the settings, None without one; raises TrustFileError when its certificates cannot be read."""
    return HttpAuthority(settings.TSA_URL, trust_file.timestamp_authorities()) if settings.TSA_URL else None


def request_token(data: bytes, *, url: str, certificates: Sequence[str], timeout_seconds: float = 10.0) -> bytes:
    """A token over these bytes that verifies under an authority's certificates (PEM, its root first).

    It comes as `timestamp.verify` takes it. Raises AuthorityError in one of its kinds, and ValueError for a URL that is
    none.
    """
    return _request(data, url, [certificates], timeout_seconds)[0]


def _request(
    data: bytes, url: str, authorities: Sequence[Sequence[str]], timeout_seconds: float
) -> tuple[bytes, datetime]:
    nonce = secrets.randbits(_NONCE_BITS) + 1
    token = _granted(_post(url, _query(data, nonce), timeout_seconds))
    stamped_at = _verified(token, data, authorities, nonce)
    difference = abs(stamped_at - datetime.now(UTC))
    if difference > MAX_CLOCK_DIFFERENCE:
        raise AuthorityAnswerError(
            f"The authority dates its time stamp {stamped_at.isoformat()}, more than "
            f"{MAX_CLOCK_DIFFERENCE.seconds // 60} minutes from this machine's time. Compare the two clocks."
        )
    return token, stamped_at


def _query(data: bytes, nonce: int) -> bytes:
    algorithm = HashAlgorithm(algorithm=_SHA256, parameters=asn1.Null())
    imprint = MessageImprint(hash_algorithm=algorithm, hashed_message=sha256(data).digest())
    request = TimestampRequest(version=1, message_imprint=imprint, nonce=nonce, wants_certificate=True)
    return timestamp_syntax.encode(request)


def _post(url: str, query: bytes, timeout_seconds: float) -> bytes:
    try:
        reply = bounded_post.post(url, query, _QUERY, max_bytes=timestamp.MAX_BYTES, timeout_seconds=timeout_seconds)
    except TooLongAnswerError as error:
        raise AuthorityAnswerError(f"The time stamp authority said too much. {error}") from error
    except NoAnswerError as error:
        raise AuthorityUnreachableError(f"The time stamp authority could not be asked. {error}") from error
    if reply.status == 429 or reply.status >= 500:
        raise AuthorityUnreachableError(f"The time stamp authority answered with the status {reply.status}.")
    if reply.status != 200:
        raise AuthorityRefusedError(
            f"Expected a time stamp (status 200), found the status {reply.status}. Check EXPUNGE_TSA_URL."
        )
    if reply.content_type.partition(";")[0].strip().lower() != _REPLY:
        raise AuthorityRefusedError(f"Expected an answer of type {_REPLY}, found another. Check EXPUNGE_TSA_URL.")
    return reply.body


def _granted(answer: bytes) -> bytes:
    """The bare reply with the token in an answer."""
    try:
        reply = timestamp_syntax.decode(Reply, answer)
    except ValueError as error:
        raise _refusal(answer) from error
    if reply.status.status not in _GRANTED:
        raise AuthorityAnswerError(f"The answer has a token and the status {reply.status.status}, which is a refusal.")
    return timestamp_syntax.bare(reply.token)


def _refusal(answer: bytes) -> AuthorityError:
    try:
        status = timestamp_syntax.decode(Refusal, answer).status
    except ValueError:
        return AuthorityAnswerError("Expected an RFC 3161 reply in DER, found something else.")
    bits = (
        ""
        if status.failure is None
        else f"{int.from_bytes(status.failure.as_bytes()):b}".zfill(8 * len(status.failure.as_bytes()))
    )
    failures = [number for number, bit in enumerate(bits) if bit == "1"]
    reasons = " and ".join(_FAILURES.get(number, f"failure {number}") for number in failures) or "no reason given"
    kind = AuthorityUnreachableError if set(failures) & set(_TRANSIENT_FAILURES) else AuthorityRefusedError
    return kind(f"The time stamp authority refused the request with the status {status.status}: {reasons}.")


def _verified(token: bytes, data: bytes, authorities: Sequence[Sequence[str]], nonce: int) -> datetime:
    refusal: TimestampError | None = None
    for authority in authorities:
        try:
            return timestamp.verify(token, data, authority, nonce=nonce)
        except TimestampError as error:
            refusal = error
    raise AuthorityAnswerError(
        f"The authority's time stamp would not convince an auditor. {refusal or 'No certificates are configured.'}"
    ) from refusal
