"""A signature stands for one body and one key, in one spelling."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical
from compliance.opendsr import signatures
from compliance.opendsr.dialect import OPENDSR_2, OPENGDPR_1
from compliance.opendsr.errors import (
    OpenDsrError,
    OtherKeyKindError,
    SignatureEncodingError,
    SignatureMismatchError,
    WeakKeyError,
)

from .authority import DOMAIN, rsa_key

BODY = b'{"request_status":"pending","controller_id":"example"}'
# DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def signed(scheme: padding.AsymmetricPadding, digest: hashes.HashAlgorithm) -> str:
    return canonical.encode_base64(rsa_key().sign(BODY, scheme, digest))


def longer_number(signature: str) -> str:
    """The same residue written as a larger number: signature plus modulus, where it fits."""
    number = int.from_bytes(canonical.decode_base64(signature)) + rsa_key().public_key().public_numbers().n
    return canonical.encode_base64(number.to_bytes(257))


def genuine() -> str:
    return signatures.sign(BODY, rsa_key())


REFUSED: dict[str, tuple[Callable[[], str], type[OpenDsrError]]] = {
    "nothing": (lambda: "", SignatureEncodingError),
    "truncated Base64": (lambda: genuine()[:-5], SignatureEncodingError),
    "a whole group cut off": (lambda: genuine()[:-4], SignatureEncodingError),
    "no padding": (lambda: genuine().rstrip("="), SignatureEncodingError),
    "a line break": (lambda: f"{genuine()[:76]}\n{genuine()[76:]}", SignatureEncodingError),
    "the URL alphabet": (lambda: genuine().replace("+", "-").replace("/", "_")[:-1] + "_", SignatureEncodingError),
    "no ASCII": (lambda: "é" * 344, SignatureEncodingError),
    "a larger number for it": (lambda: longer_number(genuine()), SignatureEncodingError),
    "zeros": (lambda: canonical.encode_base64(bytes(256)), SignatureMismatchError),
    "SHA-1": (lambda: signed(padding.PKCS1v15(), hashes.SHA1()), SignatureMismatchError),  # noqa: S303
    "SHA-512": (lambda: signed(padding.PKCS1v15(), hashes.SHA512()), SignatureMismatchError),
    "PSS": (lambda: signed(padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()), SignatureMismatchError),
    "another key": (lambda: signatures.sign(BODY, rsa_key(name="stranger")), SignatureMismatchError),
    "another body": (lambda: signatures.sign(BODY + b" ", rsa_key()), SignatureMismatchError),
    "a larger key": (lambda: signatures.sign(BODY, rsa_key(3072)), SignatureEncodingError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_any_other_signature(name: str) -> None:
    make, kind = REFUSED[name]
    with pytest.raises(kind) as caught:
        signatures.verify(BODY, make(), rsa_key().public_key())
    assert caught.type is kind


def test_it_refuses_a_key_below_2048_bits() -> None:
    weak = rsa_key(1024)
    with pytest.raises(WeakKeyError, match="1024 bits"):
        signatures.verify(BODY, signatures.sign(BODY, weak), weak.public_key())


def test_it_refuses_a_key_that_is_not_rsa() -> None:
    with pytest.raises(OtherKeyKindError, match="RSA"):
        signatures.strong_rsa(ec.generate_private_key(ec.SECP256R1()).public_key())


@given(place=st.integers(0, len(BODY) - 1), change=st.integers(1, 255))
def test_it_refuses_a_body_with_any_byte_changed(place: int, change: int) -> None:
    tampered = bytearray(BODY)
    tampered[place] ^= change
    with pytest.raises(SignatureMismatchError):
        signatures.verify(bytes(tampered), genuine(), rsa_key().public_key())


@given(place=st.integers(0, 255), change=st.integers(1, 255))
def test_it_refuses_a_signature_with_any_byte_changed(place: int, change: int) -> None:
    tampered = bytearray(canonical.decode_base64(genuine()))
    tampered[place] ^= change
    with pytest.raises(SignatureMismatchError):
        signatures.verify(BODY, canonical.encode_base64(bytes(tampered)), rsa_key().public_key())


def opened(signature: str, key: rsa.RSAPublicKey) -> bytes:
    """The slow twin: the encoded message that the signature is the root of (RFC 8017, section 8.2.2)."""
    numbers = key.public_numbers()
    return pow(int.from_bytes(canonical.decode_base64(signature)), numbers.e, numbers.n).to_bytes(key.key_size // 8)


@pytest.mark.parametrize("n_bits", [2048, 3072])
@pytest.mark.parametrize("body", [pytest.param(b"", id="empty"), pytest.param(BODY, id="JSON")])
def test_a_signature_is_what_the_standard_says_it_is(n_bits: int, body: bytes) -> None:
    key = rsa_key(n_bits)
    signature = signatures.sign(body, key)
    tail = b"\0" + DIGEST_INFO + sha256(body).digest()
    assert opened(signature, key.public_key()) == b"\0\x01" + b"\xff" * (n_bits // 8 - 2 - len(tail)) + tail
    assert signatures.verify(body, signature, key.public_key()) == canonical.decode_base64(signature)


def test_the_headers_have_the_names_of_their_version() -> None:
    new, old = (signatures.headers(BODY, rsa_key(), DOMAIN, dialect) for dialect in (OPENDSR_2, OPENGDPR_1))
    assert new == {"X-OpenDSR-Processor-Domain": DOMAIN, "X-OpenDSR-Signature": genuine()}
    assert old == {"X-OpenGDPR-Processor-Domain": DOMAIN, "X-OpenGDPR-Signature": genuine()}
