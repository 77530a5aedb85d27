"""A second reader of RFC 3161 tokens, in Rust, agrees with ours about what is genuine and what is not."""

from collections import Counter
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from compliance.evidence import timestamp
from compliance.evidence.errors import TimestampError
from tests.compliance.evidence.stamping import ROOT, CertificateTerms, Edits, issue, new_authority
from tests.services.timestamp_authority import TimestampAuthority

DATA = b"a signature over evidence"


def client_verifies(token: bytes, data: bytes, root_pem: str) -> bool:
    """Whether the other reader accepts it under this root; what it cannot read it refuses with a ValueError."""
    root = x509.load_pem_x509_certificate(root_pem.encode())
    try:
        reply = decode_timestamp_response(token)
        return VerifierBuilder().add_root_certificate(root).build().verify_message(reply, data)
    except (ValueError, VerificationError):
        return False


def we_verify(token: bytes, data: bytes, root_pem: str) -> bool:
    try:
        timestamp.verify(token, data, [root_pem])
    except TimestampError:
        return False
    return True


def test_both_accept_a_genuine_token_for_its_bytes_alone(timestamp_authority: TimestampAuthority) -> None:
    token, root = timestamp_authority.stamp(DATA), timestamp_authority.pems[0]
    assert client_verifies(token, DATA, root) and we_verify(token, DATA, root)
    assert not client_verifies(token, b"others", root) and not we_verify(token, b"others", root)


def test_both_refuse_another_root(timestamp_authority: TimestampAuthority, tmp_path: Path) -> None:
    token, other = timestamp_authority.stamp(DATA), TimestampAuthority(tmp_path).pems[0]
    assert not client_verifies(token, DATA, other)
    assert not we_verify(token, DATA, other)


def test_whatever_the_other_reader_refuses_of_flipped_bits_we_refuse_too(
    timestamp_authority: TimestampAuthority,
) -> None:
    """One bit in each byte. The other reader lets a few pass that no signature covers; ours lets none pass."""
    token, root = timestamp_authority.stamp(DATA), timestamp_authority.pems[0]
    seen: Counter[tuple[bool, bool]] = Counter()
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1 << place % 8
        seen[client_verifies(bytes(changed), DATA, root), we_verify(bytes(changed), DATA, root)] += 1
    assert seen[False, True] == seen[True, True] == 0
    assert seen[False, False] > 0.9 * len(token)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param(Edits(info=lambda info: setattr(info.message_imprint, "hashed_message", b"")), id="no hash"),
        pytest.param(Edits(attributes=lambda each: each.pop(1)), id="no message digest"),
        pytest.param(Edits(signer=lambda signer: setattr(signer, "signature", b"")), id="no signature"),
        pytest.param(Edits(content=lambda content: content + b"\x00"), id="more content"),
    ],
)
def test_both_refuse_the_same_forgery(edits: Edits) -> None:
    authority = new_authority()
    root = authority.pems[0]
    assert client_verifies(authority.stamp(DATA), DATA, root) and we_verify(authority.stamp(DATA), DATA, root)
    forged = authority.stamp(DATA, edits=edits)
    assert not client_verifies(forged, DATA, root) and not we_verify(forged, DATA, root)


def test_both_refuse_a_certificate_that_is_for_something_else() -> None:
    authority = new_authority(signer=CertificateTerms(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)))
    forged = authority.stamp(DATA)
    assert not client_verifies(forged, DATA, authority.pems[0]) and not we_verify(forged, DATA, authority.pems[0])
    other = issue(ROOT).pem
    assert not client_verifies(new_authority().stamp(DATA), DATA, other)
