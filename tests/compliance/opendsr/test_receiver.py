"""A callback is believed step by step, and the first step that fails decides the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from compliance.opendsr import receiver, signatures
from compliance.opendsr.callbacks import Callback
from compliance.opendsr.certificates import TrustPolicy
from compliance.opendsr.dialect import OPENDSR_2, OPENGDPR_1, Dialect
from compliance.opendsr.errors import (
    CertificateUnavailableError,
    DomainMissingError,
    ExpiredError,
    MessageError,
    OpenDsrError,
    OtherCallbackUrlError,
    OtherDomainError,
    ReplayedError,
    RevokedError,
    SelfSignedError,
    SignatureEncodingError,
    SignatureMismatchError,
    SignatureMissingError,
    UnknownDomainError,
    UntrustedChainError,
)
from compliance.opendsr.receiver import REPLAY_WINDOW, SignedMessage

from .authority import AT, DOMAIN, Authority, ListTerms, Terms, new_authority, rsa_key, self_signed
from .messages import CALLBACK_URL, REQUEST_ID, encoded
from .simulator import Memory

OURS = new_authority()
CHAIN = OURS.chain()
BODY = encoded(
    {
        "controller_id": "example",
        "subject_request_id": REQUEST_ID,
        "request_status": "in_progress",
        "expected_completion_time": "2026-05-30T12:00:00Z",
        "status_callback_url": CALLBACK_URL,
    }
)
DOMAIN_HEADER, SIGNATURE_HEADER = OPENDSR_2.domain_header, OPENDSR_2.signature_header


@dataclass
class Chains:
    """One remembered chain, and the one that comes when asked anew."""

    remembered: Sequence[x509.Certificate] = CHAIN
    published: Sequence[x509.Certificate] | None = None
    n_asked: int = 0

    def chain_of(self, domain: str, *, anew: bool) -> Sequence[x509.Certificate]:
        self.n_asked += 1
        if anew and self.published is None:
            raise CertificateUnavailableError("There is no other certificate.")
        return (self.published if anew else None) or self.remembered


@dataclass
class Receiver:
    """Everything that a callback meets."""

    policy: TrustPolicy = field(default_factory=OURS.policy)
    source: Chains = field(default_factory=Chains)
    at: datetime = AT
    own_urls: frozenset[str] = frozenset({CALLBACK_URL})
    seen: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.seen = Memory(lambda: self.at)

    def receive(self, message: SignedMessage) -> Callback:
        return receiver.receive(
            message, policy=self.policy, source=self.source, own_urls=self.own_urls, seen=self.seen, at=self.at
        )


def signed(body: bytes = BODY, domain: str = DOMAIN, signature: str | None = None) -> SignedMessage:
    headers = signatures.headers(body, rsa_key(), domain, OPENDSR_2)
    if signature is not None:
        headers[SIGNATURE_HEADER] = signature
    return SignedMessage(headers=tuple(headers.items()), body=body)


def with_headers(*more: tuple[str, str], drop: str = "") -> SignedMessage:
    message = signed()
    kept = tuple(pair for pair in message.headers if pair[0] != drop)
    return replace(message, headers=(*kept, *more))


def tampered(body: bytes) -> SignedMessage:
    return replace(signed(), body=body)


def meeting(chain: Sequence[x509.Certificate]) -> Receiver:
    return Receiver(source=Chains(chain))


Case = tuple[Callable[[], Receiver], Callable[[], SignedMessage], type[OpenDsrError], int]
REFUSED: dict[str, Case] = {
    "no domain": (Receiver, lambda: with_headers(drop=DOMAIN_HEADER), DomainMissingError, 401),
    "two domains": (Receiver, lambda: with_headers((DOMAIN_HEADER, "other.example")), DomainMissingError, 401),
    "two domains in two versions": (
        Receiver,
        lambda: with_headers((OPENGDPR_1.domain_header, "other.example")),
        DomainMissingError,
        401,
    ),
    "no domain name": (Receiver, lambda: signed(domain="jane@processor.example"), DomainMissingError, 401),
    "an unknown domain": (Receiver, lambda: signed(domain="other.example"), UnknownDomainError, 401),
    "no signature": (Receiver, lambda: with_headers(drop=SIGNATURE_HEADER), SignatureMissingError, 400),
    "two signatures": (Receiver, lambda: with_headers((SIGNATURE_HEADER, "AAAA")), SignatureMissingError, 400),
    "another domain's certificate": (
        lambda: meeting(OURS.chain(terms=Terms(names=("other.example",)))),
        signed,
        OtherDomainError,
        401,
    ),
    "a self-signed certificate": (lambda: meeting([self_signed(rsa_key())]), signed, SelfSignedError, 401),
    "a stranger's certificate": (lambda: meeting(new_authority("Stranger").chain()), signed, UntrustedChainError, 401),
    "no other certificate": (lambda: Receiver(at=AT + timedelta(days=999)), signed, CertificateUnavailableError, 401),
    "truncated Base64": (
        Receiver,
        lambda: signed(signature=signatures.sign(BODY, rsa_key())[:-3]),
        SignatureEncodingError,
        400,
    ),
    "another key": (
        Receiver,
        lambda: signed(signature=signatures.sign(BODY, rsa_key(name="stranger"))),
        SignatureMismatchError,
        400,
    ),
    "JSON written anew": (Receiver, lambda: tampered(BODY.replace(b" ", b"")), SignatureMismatchError, 400),
    # Not even looked at: the signature is judged before the body.
    "no JSON and no signature": (Receiver, lambda: tampered(b"}{"), SignatureMismatchError, 400),
    "no JSON": (Receiver, lambda: signed(b"}{"), MessageError, 400),
    "no callback": (Receiver, lambda: signed(b"{}"), MessageError, 400),
    "another address": (
        Receiver,
        lambda: signed(BODY.replace(b"controller.example", b"elsewhere.example")),
        OtherCallbackUrlError,
        400,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_a_callback(name: str) -> None:
    make_receiver, make_message, kind, status = REFUSED[name]
    with pytest.raises(OpenDsrError) as caught:
        make_receiver().receive(make_message())
    assert (caught.type, caught.value.status) == (kind, status)
    assert "jane" not in str(caught.value)


@given(place=st.integers(0, len(BODY) - 1), change=st.integers(1, 255))
def test_it_refuses_a_callback_with_any_byte_changed(place: int, change: int) -> None:
    body = bytearray(BODY)
    body[place] ^= change
    with pytest.raises(SignatureMismatchError):
        Receiver().receive(tampered(bytes(body)))


def test_no_certificate_is_asked_for_a_domain_that_is_not_on_the_list() -> None:
    stranger = Receiver()
    with pytest.raises(UnknownDomainError):
        stranger.receive(signed(domain="other.example"))
    assert stranger.source.n_asked == 0


def test_the_same_callback_again_is_acknowledged_and_not_acted_on() -> None:
    ours = Receiver()
    ours.receive(signed())
    ours.at += REPLAY_WINDOW - timedelta(seconds=1)
    with pytest.raises(ReplayedError) as caught:
        ours.receive(signed())
    assert caught.value.status == 202
    ours.at += timedelta(seconds=1)
    assert ours.receive(signed()).report.status == "in_progress"


def test_a_refused_callback_is_not_remembered() -> None:
    ours = Receiver(own_urls=frozenset())
    with pytest.raises(OtherCallbackUrlError):
        ours.receive(signed())
    ours.own_urls = frozenset({CALLBACK_URL})
    assert ours.receive(signed()).status_callback_url == CALLBACK_URL


def test_another_body_is_no_replay() -> None:
    ours = Receiver()
    statuses = [
        ours.receive(signed(BODY.replace(b"in_progress", word))).report.status
        for word in (b"in_progress", b"completed")
    ]
    assert statuses == ["in_progress", "completed"]


def test_a_remembered_certificate_that_expired_is_asked_for_anew() -> None:
    old = OURS.chain(terms=Terms(valid_until=AT - timedelta(days=1)))
    renewed = Receiver(source=Chains(old, CHAIN))
    assert renewed.receive(signed()).report.status == "in_progress"
    with pytest.raises(ExpiredError):
        Receiver(source=Chains(old, old)).receive(signed())


def test_a_remembered_certificate_that_was_revoked_is_asked_for_anew() -> None:
    revoked = OURS.chain()
    policy = OURS.policy(lists=[OURS.between.list(ListTerms(revoked=revoked[:1])), OURS.root.list()])
    assert Receiver(policy=policy, source=Chains(revoked, CHAIN)).receive(signed()).report.status == "in_progress"
    with pytest.raises(RevokedError):
        Receiver(policy=policy, source=Chains(revoked, revoked)).receive(signed())


@pytest.mark.parametrize("dialect", [OPENDSR_2, OPENGDPR_1], ids=["2.0", "1.0"])
def test_headers_of_both_versions_are_read_in_any_case(dialect: Dialect) -> None:
    headers = signatures.headers(BODY, rsa_key(), DOMAIN.upper(), dialect)
    message = SignedMessage(headers=tuple((name.upper(), value) for name, value in headers.items()), body=BODY)
    callback = Receiver().receive(message)
    assert (str(callback.report.subject_request_id), callback.status_callback_url) == (REQUEST_ID, CALLBACK_URL)


def test_an_answer_of_another_processor_is_refused(authority: Authority) -> None:
    other = "opendsr.other.example"
    policy = authority.policy(DOMAIN, other)
    assert receiver.verify_answer(signed(), DOMAIN, policy, Chains(), AT).body == BODY
    with pytest.raises(UnknownDomainError, match=other):
        receiver.verify_answer(signed(), other, policy, Chains(), AT)
