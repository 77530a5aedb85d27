"""Key files, envelopes and signatures: what is refused, the vector of the DSSE specification, two other verifiers."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as LibraryEnvelope
from securesystemslib.exceptions import VerificationError

from compliance.evidence import canonical, dsse, signer_uri, signing
from compliance.evidence.dsse import Envelope
from compliance.evidence.errors import (
    EvidenceMalformedError,
    EvidenceSignatureError,
    EvidenceSignerError,
    MalformedFileError,
)
from compliance.evidence.signing import EvidenceSigner, KeyFileError

from .story import new_signer

SIGNER = new_signer()
OTHER = new_signer()
ENVELOPE = SIGNER.sign(b'{"a":1}')
PARSED = dsse.parse_envelope(ENVELOPE)


def pem_of(key: Any, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


# --- Key files ---------------------------------------------------------------------------------------------------

P256 = pem_of(ec.generate_private_key(ec.SECP256R1()))
ED25519 = pem_of(Ed25519PrivateKey.generate())
NO_EVIDENCE_KEYS: dict[str, bytes] = {
    "an empty file": b"",
    "no key": b"hello",
    "a key of the log": ED25519,
    "a key of another curve": pem_of(ec.generate_private_key(ec.SECP384R1())),
    "an RSA key": pem_of(rsa.generate_private_key(65537, 2048)),
    "a key with a password": pem_of(ec.generate_private_key(ec.SECP256R1()), b"secret"),
    "a public key": SIGNER.public_key_pem,
    "half a key": P256[: len(P256) // 2],
}


@pytest.mark.parametrize("name", NO_EVIDENCE_KEYS)
def test_a_file_that_holds_no_evidence_key_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"evidence\.pem"):
        EvidenceSigner.from_file(written(tmp_path / "evidence.pem", NO_EVIDENCE_KEYS[name]))


@pytest.mark.parametrize("content", [b"", b"hello", P256], ids=["empty", "no key", "an evidence key"])
def test_a_file_that_holds_no_log_key_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"log\.pem"):
        signing.load_log_key(written(tmp_path / "log.pem", content))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o660, 0o644, 0o777], ids=oct)
def test_a_key_file_that_others_can_reach_is_refused_with_the_command_that_helps(mode: int, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="chmod 600"):
        EvidenceSigner.from_file(written(tmp_path / "key.pem", P256, mode))
    with pytest.raises(KeyFileError, match="chmod 600"):
        signing.load_log_key(written(tmp_path / "log.pem", ED25519, mode))


def test_a_missing_key_file_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="keys create"):
        EvidenceSigner.from_file(tmp_path / "none.pem")


def test_a_link_is_judged_by_the_file_behind_it(tmp_path: Path) -> None:
    """Secrets are often mounted as links; what counts is who can reach the key."""
    key = written(tmp_path / "key.pem", P256, 0o644)
    link = tmp_path / "link.pem"
    link.symlink_to(key)
    with pytest.raises(KeyFileError, match="chmod 600"):
        EvidenceSigner.from_file(link)
    key.chmod(0o600)
    assert EvidenceSigner.from_file(link).public_key_pem


def test_a_link_to_nothing_and_a_link_to_itself_are_refused(tmp_path: Path) -> None:
    for name, target in (("dangling", "none"), ("loop", "loop")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(KeyFileError):
            EvidenceSigner.from_file(tmp_path / name)


def test_a_folder_in_the_place_of_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        EvidenceSigner.from_file(tmp_path)


def test_a_named_pipe_in_the_place_of_a_key_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="plain file"):
        EvidenceSigner.from_file(tmp_path / "pipe")


@pytest.mark.parametrize("generate", [signing.generate_evidence_key, signing.generate_log_key])
def test_a_key_never_replaces_a_file_or_follows_a_link(generate: Callable[[Path], None], tmp_path: Path) -> None:
    existing = written(tmp_path / "key.pem", b"precious")
    dangling = tmp_path / "link.pem"
    dangling.symlink_to(tmp_path / "elsewhere.pem")
    for path in (existing, dangling):
        with pytest.raises(KeyFileError, match="exists already"):
            generate(path)
    assert existing.read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere.pem").exists()


def test_a_key_in_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be written"):
        signing.generate_log_key(tmp_path / "none" / "key.pem")


def test_new_keys_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        signing.generate_evidence_key(tmp_path / "evidence.pem")
        signing.generate_log_key(tmp_path / "log.pem")
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert EvidenceSigner.from_file(tmp_path / "evidence.pem").public_key.curve.name == "secp256r1"
    assert signing.load_log_key(tmp_path / "log.pem").sign(b"")


def test_a_signer_behind_a_uri_signs_like_one_from_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "key.pem", P256)
    from_file = EvidenceSigner.from_file(path)
    from_uri = EvidenceSigner.from_uri(f"file2:{path}", from_file.public_key_pem)
    assert from_uri.keyid == from_file.keyid
    assert dsse.verify_envelope(from_uri.sign(b"{}"), [from_file.public_key]) == b"{}"


# --- Envelopes ---------------------------------------------------------------------------------------------------


def edited(change: Callable[[Any], object]) -> bytes:
    value = json.loads(ENVELOPE)
    change(value)
    return canonical.dumps(value)


BAD_ENVELOPES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"envelope",
    "a list": b"[]",
    "white space": ENVELOPE + b"\n",
    "no signature": edited(lambda value: value.update(signatures=[])),
    "two signatures": edited(lambda value: value.update(signatures=value["signatures"] * 2)),
    "signatures by key": edited(lambda value: value.update(signatures={"0": value["signatures"][0]})),
    "a signature that is a word": edited(lambda value: value.update(signatures=["sig"])),
    "a signature without a key id": edited(lambda value: value["signatures"][0].pop("keyid")),
    "a key id that is a list": edited(lambda value: value["signatures"][0].update(keyid=[])),
    "a key id that is null": edited(lambda value: value["signatures"][0].update(keyid=None)),
    "a certificate": edited(lambda value: value["signatures"][0].update(cert="")),
    "a member too many": edited(lambda value: value.update(note="")),
    "another payload type": edited(lambda value: value.update(payloadType="text/plain")),
    "a payload type that is a number": edited(lambda value: value.update(payloadType=1)),
    "a payload for URLs": edited(lambda value: value.update(payload="eyJhIjoxfQ")),
    "a payload that is an object": edited(lambda value: value.update(payload={"a": 1})),
    "a payload said twice": ENVELOPE.replace(b'{"payload":', b'{"payload":"","payload":'),
}


@pytest.mark.parametrize("name", BAD_ENVELOPES)
def test_another_form_of_envelope_is_refused(name: str) -> None:
    with pytest.raises(EvidenceMalformedError):
        dsse.verify_envelope(BAD_ENVELOPES[name], [SIGNER.public_key])


def test_an_envelope_of_a_key_that_is_not_trusted_is_refused() -> None:
    for trusted in ([], [OTHER.public_key]):
        with pytest.raises(EvidenceSignerError):
            dsse.verify_envelope(ENVELOPE, trusted)


def test_the_key_id_is_only_a_hint() -> None:
    """A forger who writes a trusted key id gains nothing, for the key behind it is used."""
    forged = dsse.parse_envelope(OTHER.sign(PARSED.payload))
    disguised = Envelope(forged.payload, forged.payload_type, SIGNER.keyid, forged.signature)
    with pytest.raises(EvidenceSignatureError):
        dsse.verify_envelope(disguised.to_bytes(), [SIGNER.public_key, OTHER.public_key])


BAD_SIGNATURES: dict[str, bytes] = {
    "nothing": b"",
    "zeros": bytes(70),
    "r and s without their frame": b"".join(
        number.to_bytes(32, "big") for number in utils.decode_dss_signature(PARSED.signature)
    ),
    "a byte more": PARSED.signature + b"\x00",
    "a byte less": PARSED.signature[:-1],
    "r and s of zero": utils.encode_dss_signature(0, 0),
    "of another payload": dsse.parse_envelope(SIGNER.sign(b"{}")).signature,
    "of another key": dsse.parse_envelope(OTHER.sign(PARSED.payload)).signature,
}


@pytest.mark.parametrize("name", BAD_SIGNATURES)
def test_a_wrong_signature_is_refused(name: str) -> None:
    forged = Envelope(PARSED.payload, PARSED.payload_type, PARSED.keyid, BAD_SIGNATURES[name])
    with pytest.raises(EvidenceSignatureError):
        dsse.verify_envelope(forged.to_bytes(), [SIGNER.public_key])


def test_the_payload_type_is_part_of_what_is_signed() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    other_type = Envelope(b"{}", "text/plain", "", b"")
    signature = key.sign(other_type.pae(), ec.ECDSA(SHA256()))
    with pytest.raises(EvidenceSignatureError):
        dsse.refuse_bad_signature(Envelope(b"{}", dsse.PAYLOAD_TYPE, "", signature), key.public_key())


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_what_is_signed_verifies_and_is_read_back(payload: bytes) -> None:
    envelope = SIGNER.sign(payload)
    assert dsse.verify_envelope(envelope, [OTHER.public_key, SIGNER.public_key]) == payload
    assert dsse.parse_envelope(envelope).to_bytes() == envelope


@given(st.binary(max_size=40), st.text(max_size=10), st.binary(max_size=40), st.text(max_size=10))
def test_no_two_pairs_of_type_and_payload_are_signed_as_the_same_bytes(
    payload: bytes, kind: str, other_payload: bytes, other_kind: str
) -> None:
    is_same = (payload, kind) == (other_payload, other_kind)
    assert (Envelope(payload, kind, "", b"").pae() == Envelope(other_payload, other_kind, "", b"").pae()) is is_same


# --- The vector of the specification and other verifiers ---------------------------------------------------------

# DSSE 1.0.0, protocol.md, "Test Vectors" (secure-systems-lab/dsse, Apache-2.0).
HELLO = Envelope(
    payload=b"hello world",
    payload_type="http://example.com/HelloWorld",
    keyid="",
    signature=canonical.decode_base64(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    ),
)
HELLO_KEY = ec.EllipticCurvePublicNumbers(
    x=46950820868899156662930047687818585632848591499744589407958293238635476079160,
    y=5640078356564379163099075877009565129882514886557779369047442380624545832820,
    curve=ec.SECP256R1(),
).public_key()


def test_the_signed_bytes_are_those_of_the_specification() -> None:
    assert HELLO.pae() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_the_signature_of_the_specification_verifies_and_no_other() -> None:
    """There it is written as r and s alone; envelopes in use carry the DER form."""
    r, s = HELLO.signature[:32], HELLO.signature[32:]
    der = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    dsse.refuse_bad_signature(Envelope(HELLO.payload, HELLO.payload_type, "", der), HELLO_KEY)
    with pytest.raises(EvidenceSignatureError):
        dsse.refuse_bad_signature(Envelope(b"hello World", HELLO.payload_type, "", der), HELLO_KEY)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no `openssl` command to verify with")
def test_openssl_verifies_an_envelope_and_refuses_a_changed_one(tmp_path: Path) -> None:
    """All that an auditor needs: the public key, the signature, and the line that the specification says is signed."""
    (tmp_path / "key.pem").write_bytes(SIGNER.public_key_pem)
    (tmp_path / "signature").write_bytes(PARSED.signature)

    def verify(signed: bytes) -> int:
        (tmp_path / "signed").write_bytes(signed)
        command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
        return subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, timeout=60).returncode

    assert verify(b'DSSEv1 28 application/vnd.in-toto+json 7 {"a":1}') == 0
    assert verify(b'DSSEv1 28 application/vnd.in-toto+json 7 {"a":2}') != 0


def test_securesystemslib_verifies_an_envelope_and_refuses_a_foreign_key() -> None:
    # from_dict changes its argument, hence a fresh parse for each.
    envelope = LibraryEnvelope.from_dict(json.loads(ENVELOPE))
    accepted = envelope.verify([signer_uri.library_key(SIGNER.public_key)], threshold=1)
    assert list(accepted) == [SIGNER.keyid]
    with pytest.raises(VerificationError):
        LibraryEnvelope.from_dict(json.loads(ENVELOPE)).verify([signer_uri.library_key(OTHER.public_key)], threshold=1)


# --- Public keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", id="no key"),
        pytest.param(P256, id="a private key"),
        pytest.param(dsse.public_key_pem(Ed25519PrivateKey.generate().public_key()), id="a key of the log"),
    ],
)
def test_another_public_key_is_refused(pem: bytes) -> None:
    with pytest.raises(MalformedFileError):
        dsse.load_public_key(pem)


def test_a_public_key_in_der_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedFileError):
        dsse.load_public_key_der(b"\x30\x00")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no `openssl` command to compare with")
def test_a_fingerprint_is_what_openssl_and_sha256_make_of_the_key(tmp_path: Path) -> None:
    """So that two people can compare fingerprints without this program."""
    (tmp_path / "key.pem").write_bytes(SIGNER.public_key_pem)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "key.pem", "-outform", "DER"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, capture_output=True, check=True).stdout
    assert digest.split()[0].decode() == SIGNER.keyid
