"""OpenSSL verifies the signature of an envelope and the time stamps, and refuses what was changed."""

import subprocess
from pathlib import Path

import pytest

from compliance.evidence import timestamp
from compliance.evidence.errors import TimestampError
from tests.compliance.evidence.stamping import AT, Authority, new_authority
from tests.services.timestamp_authority import TimestampAuthority, needs_openssl

from .conftest import Evidence

OPTIONS = {
    "SHA-256": ("-sha256",),
    "SHA-384": ("-sha384",),
    "SHA-512": ("-sha512",),
    "without a nonce": ("-sha256", "-no_nonce"),
}


def openssl(*arguments: str | Path) -> bool:
    """Whether OpenSSL says yes."""
    command = [needs_openssl(), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def verifies_signature(evidence: Evidence, signed: bytes, folder: Path) -> bool:
    (folder / "key.pem").write_bytes(evidence.signer.public_key_pem)
    (folder / "signature").write_bytes(evidence.envelope.signature)
    (folder / "signed").write_bytes(signed)
    return openssl(
        "dgst", "-sha256", "-verify", folder / "key.pem", "-signature", folder / "signature", folder / "signed"
    )


def verifies_stamp(token: bytes, data: bytes, root_pem: str, folder: Path, *options: str) -> bool:
    (folder / "reply.tsr").write_bytes(token)
    (folder / "data").write_bytes(data)
    (folder / "root.pem").write_text(root_pem)
    return openssl(
        "ts", "-verify", "-in", folder / "reply.tsr", "-data", folder / "data", "-CAfile", folder / "root.pem", *options
    )


def we_verify(token: bytes, data: bytes, pems: tuple[str, ...]) -> bool:
    try:
        timestamp.verify(token, data, pems)
    except TimestampError:
        return False
    return True


def test_openssl_verifies_the_signature_over_the_encoding_of_dsse(evidence: Evidence, tmp_path: Path) -> None:
    payload = evidence.envelope.payload
    # Written out, as an auditor's shell would: DSSEv1, length and type, length and payload.
    kind = b"application/vnd.in-toto+json"
    signed = b" ".join([b"DSSEv1", b"28", kind, str(len(payload)).encode(), payload])
    assert verifies_signature(evidence, signed, tmp_path)
    assert not verifies_signature(evidence, signed.replace(b"PASSED", b"FAILED"), tmp_path)
    assert not verifies_signature(evidence, payload, tmp_path)


@pytest.mark.parametrize("name", OPTIONS)
def test_both_accept_a_token_of_openssls_authority_and_both_miss_a_changed_byte(
    name: str, timestamp_authority: TimestampAuthority, tmp_path: Path
) -> None:
    pems, data = timestamp_authority.pems, b"a signature over evidence"
    token = timestamp_authority.stamp(data, *OPTIONS[name])
    assert verifies_stamp(token, data, pems[0], tmp_path)
    assert we_verify(token, data, pems[:1])
    assert not verifies_stamp(token, data + b"\n", pems[0], tmp_path)
    assert not we_verify(token, data + b"\n", pems[:1])
    changed = token[:-1] + bytes([token[-1] ^ 1])
    assert not verifies_stamp(changed, data, pems[0], tmp_path)
    assert not we_verify(changed, data, pems[:1])


@pytest.fixture(scope="module")
def in_memory() -> Authority:
    return new_authority()


def test_openssl_accepts_the_tokens_that_our_other_tests_make(in_memory: Authority, tmp_path: Path) -> None:
    token, at = in_memory.stamp(b"data", nonce=7), str(int(AT.timestamp()))
    assert verifies_stamp(token, b"data", in_memory.pems[0], tmp_path, "-attime", at)
    assert we_verify(token, b"data", in_memory.pems)
    assert not verifies_stamp(token, b"data", new_authority().pems[0], tmp_path, "-attime", at)


def test_a_token_of_an_authority_with_an_rsa_key_is_accepted_by_both(tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir()
    authority = TimestampAuthority(
        tmp_path / "authority", key=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    )
    token = authority.stamp(b"data")
    assert verifies_stamp(token, b"data", authority.pems[0], tmp_path)
    assert we_verify(token, b"data", authority.pems[:1])
