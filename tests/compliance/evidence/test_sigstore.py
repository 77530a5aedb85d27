"""Sigstore bundles: one spelling for the same parts, and no member that could be another unnoticed."""

import dataclasses
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, checkpoint, dsse, sigstore
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import ExitCode, SigstoreBundleError
from compliance.evidence.sigstore import Parts, Signed

from .archive import replaced, unpack
from .edits import code_of
from .member_edits import every_change, name_of
from .story import TARGET_A

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.vkey("log.example/2026", KEY.public_key())
NOTE = checkpoint.sign(Checkpoint("log.example/2026", 3, bytes(range(32))), "log.example/2026", KEY)
ENVELOPE = dsse.Envelope(b"{}", dsse.PAYLOAD_TYPE, "ab" * 32, b"signature").to_bytes()
PARTS = Parts(
    envelope=ENVELOPE,
    leaf=b'{"kind":"hashedrekord"}',
    index=2,
    path=[bytes(32)],
    checkpoint=NOTE,
    vkey=VKEY,
    timestamps=(b"first token", b"second token"),
)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"envelope": b""}, id="no envelope"),
        pytest.param({"envelope": ENVELOPE + b"\n"}, id="another spelling of the envelope"),
        pytest.param({"envelope": ENVELOPE.replace(b"in-toto", b"other")}, id="another type of payload"),
        pytest.param({"checkpoint": b"log.example/2026\n3\n"}, id="a checkpoint without a signature"),
        pytest.param({"checkpoint": NOTE.replace(b"\n3\n", b"\nthree\n")}, id="a checkpoint without a size"),
        pytest.param({"timestamps": (b"a token", b"another", b"a token")}, id="a token twice"),
        pytest.param({"timestamps": tuple(bytes([number]) for number in range(9))}, id="more tokens than allowed"),
        pytest.param({"vkey": "log.example/2026"}, id="no vkey"),
        pytest.param({"vkey": VKEY.replace("2026", "2027")}, id="a vkey of another name"),
    ],
)
def test_malformed_parts_are_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(SigstoreBundleError):
        sigstore.write(dataclasses.replace(PARTS, **changes))


WRITTEN = sigstore.write(PARTS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b" " + WRITTEN, id="a space before it"),
        pytest.param(WRITTEN.removeprefix(b'{"dsseEnvelope":'), id="without its beginning"),
        pytest.param(json.dumps(json.loads(WRITTEN)).encode(), id="spaces inside"),
        pytest.param(WRITTEN.replace(b"v0.3", b"v0.2"), id="another version"),
        pytest.param(WRITTEN.replace(ENVELOPE, b"{}"), id="an empty envelope"),
        pytest.param(WRITTEN.replace(b'{"dsseEnvelope"', b'{"a":1,"dsseEnvelope"'), id="a member before the envelope"),
        pytest.param(WRITTEN.replace(b"c2Vjb25kIHRva2Vu", b"Zmlyc3QgdG9rZW4="), id="a token twice"),
        pytest.param(
            WRITTEN.replace(
                b'{"signedTimestamp":"c2Vjb25kIHRva2Vu"}',
                b",".join(b'{"signedTimestamp":"AAA%d"}' % number for number in range(8)),
            ),
            id="more tokens than allowed",
        ),
        pytest.param(WRITTEN.replace(b'"Zmlyc3Qg', b'"Zmlyc3Q'), id="a token that is no base64"),
        pytest.param(WRITTEN + b"\n", id="a line break after it"),
        pytest.param(WRITTEN.replace(b'"logIndex":"2"', b'"logIndex":2'), id="an index without quotes"),
        pytest.param(WRITTEN.replace(b'"logIndex":"2"', b'"logIndex":"02"'), id="an index with a leading zero"),
        pytest.param(WRITTEN.replace(b'"logIndex":"2"', b'"logIndex":"-2"'), id="an index below zero"),
        pytest.param(WRITTEN.replace(b'"logIndex":"2"', b'"logIndex":"2' + b"0" * 5000 + b'"'), id="a huge index"),
        pytest.param(WRITTEN.replace(b"eOs=", b"eOs"), id="an id of the log without padding"),
        pytest.param(WRITTEN.replace(b"eOs=", b"eOt="), id="an id of the log with spare bits"),
        pytest.param(WRITTEN.replace(b'"logId"', b'"logID"'), id="no id of the log"),
        pytest.param(WRITTEN.replace(b'rZW4="', b'rZW5="'), id="a token with spare bits"),
    ],
)
def test_what_is_no_such_bundle_is_not_read(content: bytes) -> None:
    assert content != WRITTEN
    with pytest.raises(SigstoreBundleError):
        sigstore.read(content)


def other(value: Any) -> Any:
    """Another value of the same type, in base64 where the old one was."""
    if isinstance(value, str):
        try:
            return canonical.encode_base64(canonical.decode_base64(value) + b"x")
        except ValueError:
            return f"{value}1"
    return None


def test_every_member_but_what_the_reader_returns_is_missed_by_the_comparison() -> None:
    """Payload, signature and tokens are returned, and verified by whoever asked. All else is written anew."""
    returned = set()
    for kind, path, document in every_change(json.loads(WRITTEN), other):
        changed = canonical.dumps(document)
        assert changed != WRITTEN
        try:
            signed = sigstore.read(changed)
        except SigstoreBundleError:
            continue
        again = dataclasses.replace(PARTS, envelope=signed.envelope, timestamps=signed.timestamps)
        if sigstore.write(again) == changed:
            assert signed != sigstore.read(WRITTEN)
            returned.add((kind, name_of(path)))
    assert returned == {
        ("replaced", "payload"),
        ("replaced", "sig"),
        ("replaced", "signedTimestamp"),
        # Tokens are a list: one less, or none at all, and with it the member that holds them.
        ("taken away", "rfc3161Timestamps"),
        ("taken away", "timestampVerificationData"),
    }


@pytest.mark.parametrize("folder", ["evidence", "closing"])
def test_every_member_of_a_bundle_in_an_archive_is_verified(folder: str, genuine: bytes) -> None:
    name = f"{folder}/{TARGET_A}.sigstore.json"
    accepted = [
        (kind, path)
        for kind, path, document in every_change(json.loads(unpack(genuine)[name]), other)
        if code_of(replaced(genuine, name, lambda _, document=document: canonical.dumps(document)))  # type: ignore[misc]
        is ExitCode.VERIFIED
    ]
    assert accepted == []


@settings(max_examples=60)
@given(
    payload=st.binary(max_size=60),
    keyid=st.from_regex(r"[ -~]{0,20}", fullmatch=True).filter(lambda text: not set(text) & set(' "\\')),
    signature=st.binary(max_size=80),
    leaf=st.binary(max_size=80),
    index=st.integers(0, 2**53),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=4),
    timestamps=st.lists(st.binary(max_size=60), max_size=3, unique=True).map(tuple),
)
def test_a_bundle_is_canonical_json_and_gives_back_what_it_carries(
    payload: bytes,
    keyid: str,
    signature: bytes,
    leaf: bytes,
    index: int,
    path: list[bytes],
    timestamps: tuple[bytes, ...],
) -> None:
    envelope = dsse.Envelope(payload, dsse.PAYLOAD_TYPE, keyid, signature).to_bytes()
    parts = Parts(
        envelope=envelope, leaf=leaf, index=index, path=path, checkpoint=NOTE, vkey=VKEY, timestamps=timestamps
    )
    written = sigstore.write(parts)
    assert sigstore.read(written) == Signed(envelope, timestamps, sigstore.log_id(VKEY), index)
    assert canonical.dumps(canonical.loads(written)) == written


def test_as_many_tokens_as_are_allowed_are_read_back() -> None:
    tokens = tuple(bytes([number]) for number in range(sigstore.MAX_TIMESTAMPS))
    assert sigstore.read(sigstore.write(dataclasses.replace(PARTS, timestamps=tokens))).timestamps == tokens


# Written out by hand from sigstore_bundle.proto and sigstore_rekor.proto; the values of bytes are base64.
EXAMPLE = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "dsseEnvelope": {
        "payload": "e30=",
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": "ab" * 32, "sig": "c2lnbmF0dXJl"}],
    },
    "verificationMaterial": {
        "publicKey": {"hint": "ab" * 32},
        "tlogEntries": [
            {
                "logIndex": "2",
                "logId": {"keyId": "sZY1MW3DNbUdHjZMoHOQgb73h/hfm8LxRVKJLqTQeOs="},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
                "integratedTime": "0",
                "inclusionProof": {
                    "logIndex": "2",
                    "rootHash": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    "treeSize": "3",
                    "hashes": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],
                    "checkpoint": {"envelope": "NOTE"},
                },
                "canonicalizedBody": "eyJraW5kIjoiaGFzaGVkcmVrb3JkIn0=",
            }
        ],
        "timestampVerificationData": {
            "rfc3161Timestamps": [
                {"signedTimestamp": "Zmlyc3QgdG9rZW4="},
                {"signedTimestamp": "c2Vjb25kIHRva2Vu"},
            ]
        },
    },
}
EXAMPLE_NOTE = (
    "log.example/2026\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
    "— log.example/2026 "
    "sZY1MQBFoY4ck7PSe0QLhEDjUIPNH5ANqHeWIYHhZfC0X0gXpaTdkma7NBhE+zRBrELjUt0XoFhR5kRq4x+qxWizvAE=\n"
)


def test_the_example_is_written_byte_for_byte() -> None:
    expected = json.dumps(EXAMPLE).replace("NOTE", json.dumps(EXAMPLE_NOTE)[1:-1])
    assert canonical.dumps(json.loads(expected)) == WRITTEN


def test_a_bundle_without_time_stamps_has_no_place_for_them() -> None:
    material = json.loads(sigstore.write(dataclasses.replace(PARTS, timestamps=())))["verificationMaterial"]
    assert set(material) == {"publicKey", "tlogEntries"}


def test_a_log_is_named_by_the_whole_of_the_hash_whose_beginning_signs_its_notes() -> None:
    identified = sigstore.log_id(VKEY)
    assert identified == sha256(b"log.example/2026\n\x01" + KEY.public_key().public_bytes_raw()).digest()
    ((_, key_id, _),) = checkpoint.split_note(NOTE)[1]
    assert identified[:4] == key_id == checkpoint.parse_vkey(VKEY).key_id
