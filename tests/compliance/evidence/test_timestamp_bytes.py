"""Any bytes in the place of a token: refused in a sentence, and nothing in a genuine one is without effect."""

import pytest
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import timestamp, timestamp_syntax
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_syntax import Reply

from .stamping import GENUINE, Authority, Edits, new_authority, sign
from .test_timestamp import DATA, refusal_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.stamp(DATA)


def test_no_single_flipped_bit_of_a_token_is_accepted(token: bytes, authority: Authority) -> None:
    """Every bit: nothing in a token is without effect."""
    accepted = []
    for number in range(8 * len(token)):
        flipped = bytearray(token)
        flipped[number // 8] ^= 1 << number % 8
        try:
            timestamp.verify(bytes(flipped), DATA, authority.pems[:1])
            accepted.append(number)
        except TimestampError:
            continue
    assert accepted == []


def test_no_beginning_of_a_token_is_accepted(token: bytes, authority: Authority) -> None:
    for length in range(len(token)):
        refusal_of(token[:length], authority)
    assert "in DER" in refusal_of(token + b"\x00", authority)


def test_a_token_without_its_reply_or_with_more_in_it_is_refused(token: bytes, authority: Authority) -> None:
    reply = timestamp_syntax.decode(Reply, token)
    assert "in DER" in refusal_of(timestamp_syntax.encode(reply.token), authority)
    for status in (
        timestamp_syntax.Status(status=1, text=None, failure=None),
        timestamp_syntax.Status(status=0, text=["for jane@example.org"], failure=None),
        timestamp_syntax.Status(status=0, text=None, failure=asn1.BitString(b"\x80", 7)),
    ):
        wordy = timestamp_syntax.encode(Reply(status=status, token=reply.token))
        sentence = refusal_of(wordy, authority)
        assert "says nothing else" in sentence and "jane" not in sentence


def test_a_token_of_many_bytes_is_refused_unread(authority: Authority) -> None:
    assert "at most" in refusal_of(bytes(timestamp.MAX_BYTES + 1), authority)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_in_a_sentence(data: bytes, authority: Authority) -> None:
    assert refusal_of(data, authority).endswith(".")


@given(data=st.data())
def test_a_token_with_any_bytes_replaced_is_refused_or_the_same(
    data: st.DataObject, token: bytes, authority: Authority
) -> None:
    start = data.draw(st.integers(0, len(token) - 1))
    piece = data.draw(st.binary(max_size=12))
    changed_token = token[:start] + piece + token[start + data.draw(st.integers(0, 12)) :]
    try:
        timestamp.verify(changed_token, DATA, authority.pems[:1])
    except TimestampError:
        return
    assert changed_token == token


@given(content=st.binary(max_size=120))
def test_any_signed_content_is_refused_in_a_sentence(content: bytes, authority: Authority) -> None:
    stamped = authority.stamp(DATA, edits=Edits(content=lambda _: content))
    assert refusal_of(stamped, authority).endswith(".")


def test_the_tokens_of_these_tests_are_signed_as_their_algorithm_says(authority: Authority) -> None:
    """So that a refusal above is never due to the tests' own signer."""
    named, signature = sign(authority.signer.key, DATA)
    public = authority.signer.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, DATA, ec.ECDSA(hashes.SHA256()))
    assert named.algorithm.dotted_string == "1.2.840.10045.4.3.2"
    assert authority.stamp(DATA, edits=GENUINE) != authority.stamp(DATA, edits=GENUINE)
