"""The ledger's entry for signed evidence: the Rekor v2 body, read back as written, refused in any other form."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.evidence import canonical, dsse, rekord
from compliance.evidence.errors import EvidenceMalformedError, EvidenceSignatureError, LeafError, MalformedFileError

from .story import new_signer

SIGNER = new_signer()
ENVELOPE = SIGNER.sign(b"{}")
BODY = rekord.hashedrekord(ENVELOPE, SIGNER.public_key_pem)


def der_of(key: Any) -> str:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return canonical.encode_base64(key.public_key().public_bytes(encoding, form))


def compressed(body: Any) -> None:
    """The same point in its short form: a second spelling of the same key."""
    point = SIGNER.public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    # SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING }
    prefix = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    put("signature.verifier.publicKey.rawBytes", canonical.encode_base64(prefix + point))(body)


def put(path: str, value: object) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        *parents, name = path.split(".")
        place = body["spec"]["hashedRekordV002"]
        for parent in parents:
            place = place[parent]
        place[name] = value

    return change


BAD: dict[str, Callable[[Any], object]] = {
    "another kind": lambda body: body.update(kind="dsse"),
    "another version": lambda body: body.update(apiVersion="0.0.1"),
    "no spec": lambda body: body.pop("spec"),
    "a spec that is a list": lambda body: body.update(spec=[]),
    "a member too many": put("note", "checked"),
    "another algorithm": put("data.algorithm", "SHA2_384"),
    "a digest of another length": put("data.digest", canonical.encode_base64(bytes(31))),
    "a digest in hex": put("data.digest", "ab" * 32),
    "a digest that is a number": put("data.digest", 5),
    "no signature": put("signature.content", None),
    "a signature with spare bits": put("signature.content", "YR=="),
    "another kind of key": put("signature.verifier.keyDetails", "PKIX_ED25519"),
    "a key that is no key": put("signature.verifier.publicKey.rawBytes", "AAAA"),
    "no key": put("signature.verifier.publicKey", {}),
    "a key of another curve": put(
        "signature.verifier.publicKey.rawBytes", der_of(ec.generate_private_key(ec.SECP384R1()))
    ),
    "a key of the log's kind": put("signature.verifier.publicKey.rawBytes", der_of(Ed25519PrivateKey.generate())),
    "a key in its short form": compressed,
}


@pytest.mark.parametrize("name", BAD)
def test_another_form_is_refused(name: str) -> None:
    body = json.loads(BODY)
    BAD[name](body)
    with pytest.raises(LeafError):
        rekord.parse_hashedrekord(canonical.dumps(body))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", BODY + b"\n"], ids=repr)
def test_what_is_no_body_is_refused(data: bytes) -> None:
    with pytest.raises(LeafError):
        rekord.parse_hashedrekord(data)


def test_an_envelope_that_does_not_verify_is_never_logged() -> None:
    with pytest.raises(EvidenceSignatureError):
        rekord.hashedrekord(ENVELOPE, new_signer().public_key_pem)


def test_what_is_no_envelope_is_never_logged() -> None:
    with pytest.raises(EvidenceMalformedError):
        rekord.hashedrekord(b"{}", SIGNER.public_key_pem)


def test_a_key_that_is_no_key_is_refused() -> None:
    with pytest.raises(MalformedFileError):
        rekord.hashedrekord(ENVELOPE, b"none")


def test_a_body_is_read_back_as_it_was_written() -> None:
    parsed = rekord.parse_hashedrekord(BODY)
    assert parsed.to_bytes() == BODY
    assert dsse.public_key_sha256(parsed.public_key) == SIGNER.keyid


def test_the_digest_is_that_of_the_signed_bytes_and_the_signature_verifies_over_it() -> None:
    """So a client of Rekor needs neither the statement nor our code to check the entry."""
    parsed = rekord.parse_hashedrekord(BODY)
    assert parsed.digest == sha256(b"DSSEv1 28 application/vnd.in-toto+json 2 {}").digest()
    parsed.public_key.verify(parsed.signature, parsed.digest, ec.ECDSA(utils.Prehashed(SHA256())))


def test_the_body_has_the_members_of_rekor_v2() -> None:
    assert json.loads(BODY) == {
        "apiVersion": "0.0.2",
        "kind": "hashedrekord",
        "spec": {
            "hashedRekordV002": {
                "data": {
                    "algorithm": "SHA2_256",
                    "digest": canonical.encode_base64(rekord.parse_hashedrekord(BODY).digest),
                },
                "signature": {
                    "content": canonical.encode_base64(dsse.parse_envelope(ENVELOPE).signature),
                    "verifier": {
                        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "publicKey": {"rawBytes": canonical.encode_base64(dsse.public_key_der(SIGNER.public_key))},
                    },
                },
            }
        },
    }
