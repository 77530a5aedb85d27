"""What a controller does with bytes that say they come from a processor, before it believes a word of them.

Domain, certificate, signature over the raw bytes, and only then the message: whose address it names, and whether it
was taken in before. Pure: certificates, the memory of signatures and the time are passed in.
Source: OpenDSR 2.0, section 8.8, and its security guidelines, "Callback validation".
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from compliance.opendsr import addresses, callbacks, certificates, signatures
from compliance.opendsr.callbacks import Callback
from compliance.opendsr.certificates import TrustPolicy
from compliance.opendsr.dialect import DIALECTS
from compliance.opendsr.errors import (
    DomainMissingError,
    ExpiredError,
    OtherCallbackUrlError,
    ReplayedError,
    RevokedError,
    SignatureMissingError,
    UnknownDomainError,
)

# Longer than a processor goes on trying to deliver one callback.
REPLAY_WINDOW = timedelta(days=2)


class CertificateSource(Protocol):
    """Where certificates of processors come from: a memory in front of their discovery documents."""

    def chain_of(self, domain: str, *, anew: bool) -> Sequence[x509.Certificate]:
        """The chain, signer first; `anew` asks past the memory. Raises CertificateUnavailableError and others."""


class SeenSignatures(Protocol):
    """A memory of callbacks. It is kept in the transaction that acts on them, or a crash between loses one."""

    def is_first(self, fingerprint: str, until: datetime) -> bool:
        """Remember the fingerprint until then, in one step; False if it is remembered already."""


@dataclass(frozen=True, kw_only=True)
class SignedMessage:
    """Bytes with the headers they came with: pairs, since a name may come twice."""

    headers: Iterable[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class VerifiedBody:
    """A body whose signer is known. `fingerprint` is hex SHA-256 over the domain and the raw signature."""

    domain: str
    body: bytes
    fingerprint: str


def verify(message: SignedMessage, policy: TrustPolicy, source: CertificateSource, at: datetime) -> VerifiedBody:
    """Who signed this body at the time `at`; nothing of it is parsed.

    Raises DomainMissingError, UnknownDomainError, SignatureMissingError, what `certificates.trusted_key` and
    `signatures.verify` raise, and what the source raises.
    """
    sent = tuple(message.headers)
    domain = _domain(sent)
    certificates.refuse_unknown_domain(domain, policy)
    signature = _only(sent, [dialect.signature_header for dialect in DIALECTS])
    if signature is None:
        raise SignatureMissingError("Expected one signature in X-OpenDSR-Signature, found none or several.")
    raw = signatures.verify(message.body, signature, _key(domain, policy, source, at))
    return VerifiedBody(domain, message.body, sha256(domain.encode() + b"\0" + raw).hexdigest())


def verify_answer(
    message: SignedMessage, asked: str, policy: TrustPolicy, source: CertificateSource, at: datetime
) -> VerifiedBody:
    """The same for an answer, which has to come from the domain that was asked; raises as `verify` does."""
    verified = verify(message, policy, source, at)
    if verified.domain != asked:
        raise UnknownDomainError(f"Expected an answer signed for {asked}, found one of another processor.")
    return verified


def receive(
    message: SignedMessage,
    *,
    policy: TrustPolicy,
    source: CertificateSource,
    own_urls: Collection[str],
    seen: SeenSignatures,
    at: datetime,
    schemes: Collection[str] = addresses.SECURE,
) -> Callback:
    """The callback, to be acted on and answered with 202. `own_urls` are the addresses where callbacks are taken in.

    Every refusal is an OpenDsrError with the status that answers it: those of `verify`, MessageError,
    OtherCallbackUrlError, and ReplayedError within REPLAY_WINDOW of the first time.
    """
    verified = verify(message, policy, source, at)
    callback = callbacks.parse(verified.body, verified.domain, schemes)
    if callback.status_callback_url not in own_urls:
        raise OtherCallbackUrlError("status_callback_url: expected the address of this receiver, found another.")
    if not seen.is_first(verified.fingerprint, at + REPLAY_WINDOW):
        raise ReplayedError("This callback was taken in before. It is acknowledged and not acted on again.")
    return callback


def _key(domain: str, policy: TrustPolicy, source: CertificateSource, at: datetime) -> rsa.RSAPublicKey:
    """A remembered certificate may have been replaced since, so the two errors of age are asked about once more."""
    try:
        return certificates.trusted_key(domain, source.chain_of(domain, anew=False), policy, at)
    except (ExpiredError, RevokedError):
        return certificates.trusted_key(domain, source.chain_of(domain, anew=True), policy, at)


def _domain(sent: Sequence[tuple[str, str]]) -> str:
    text = _only(sent, [dialect.domain_header for dialect in DIALECTS])
    try:
        return addresses.parse_domain(text or "")
    except ValueError as error:
        raise DomainMissingError("Expected one domain in X-OpenDSR-Processor-Domain, found none or several.") from error


def _only(sent: Sequence[tuple[str, str]], names: Sequence[str]) -> str | None:
    """The one value under any of these names; None where there is none, or two that differ."""
    wanted = {name.lower() for name in names}
    values = {value for name, value in sent if name.lower() in wanted}
    return values.pop() if len(values) == 1 else None
