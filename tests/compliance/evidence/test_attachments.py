"""A Sigstore bundle in a bundle is the one that envelope, entry, proof and checkpoint determine: nothing beside it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from compliance.evidence import canonical
from compliance.evidence.errors import ExitCode

from .archive import replaced
from .edits import code_of, sigstore_edited
from .story import TARGET_A, Story

Edit = Callable[[dict[str, Any]], object]
FOLDERS = ("evidence", "closing")


def entry(change: Edit) -> Edit:
    return lambda value: change(value["verificationMaterial"]["tlogEntries"][0])


def inclusion(change: Edit) -> Edit:
    return entry(lambda logged: change(logged["inclusionProof"]))


def material(change: Edit) -> Edit:
    return lambda value: change(value["verificationMaterial"])


def set_to(**changes: Any) -> Edit:
    return lambda value: value.update(changes)


def without(name: str) -> Edit:
    return lambda value: value.pop(name)


def other_hash(inclusion_proof: dict[str, Any]) -> None:
    inclusion_proof["hashes"][0] = canonical.encode_base64(bytes(32))


def other_body(logged: dict[str, Any]) -> None:
    body = canonical.decode_base64(logged["canonicalizedBody"])
    logged["canonicalizedBody"] = canonical.encode_base64(body.replace(b'"0.0.2"', b'"0.0.1"'))


CHANGES: dict[str, Edit] = {
    "another media type": set_to(mediaType="application/vnd.dev.sigstore.bundle.v0.2+json"),
    "no media type": without("mediaType"),
    "a member too many": set_to(note=""),
    "a message signature beside the envelope": set_to(messageSignature={}),
    "another hint": material(set_to(publicKey={"hint": "0" * 64})),
    "no hint": material(set_to(publicKey={})),
    "a certificate in place of the key": material(set_to(certificate={"rawBytes": ""})),
    "no log entry": material(set_to(tlogEntries=[])),
    "the log entry twice": material(lambda value: value["tlogEntries"].append(value["tlogEntries"][0])),
    "an empty list of time stamps": material(set_to(timestampVerificationData={"rfc3161Timestamps": []})),
    "another index": entry(set_to(logIndex="1")),
    "an index as a number": entry(lambda logged: logged.update(logIndex=int(logged["logIndex"]))),
    "another log": entry(set_to(logId={"keyId": canonical.encode_base64(bytes(32))})),
    "another kind": entry(set_to(kindVersion={"kind": "dsse", "version": "0.0.2"})),
    "another version of the kind": entry(set_to(kindVersion={"kind": "hashedrekord", "version": "0.0.1"})),
    "a time of integration": entry(set_to(integratedTime="1777636800")),
    "a promise of inclusion": entry(set_to(inclusionPromise={"signedEntryTimestamp": ""})),
    "another body": entry(other_body),
    "no body": entry(without("canonicalizedBody")),
    "no proof": entry(without("inclusionProof")),
    "another index in the proof": inclusion(set_to(logIndex="1")),
    "another size": inclusion(set_to(treeSize="1")),
    "another root": inclusion(set_to(rootHash=canonical.encode_base64(bytes(32)))),
    "another hash of the path": inclusion(other_hash),
    "a hash too few": inclusion(lambda proof: proof["hashes"].pop()),
    "a hash too many": inclusion(lambda proof: proof["hashes"].append(proof["hashes"][0])),
    "another checkpoint": inclusion(
        lambda proof: proof["checkpoint"].update(envelope=proof["checkpoint"]["envelope"].replace("316", "317"))
    ),
    "no checkpoint": inclusion(set_to(checkpoint={})),
    "another type of payload": lambda value: value["dsseEnvelope"].update(payloadType="text/plain"),
    "a member too many in the envelope": lambda value: value["dsseEnvelope"].update(note=""),
    "no payload": lambda value: value["dsseEnvelope"].pop("payload"),
    "no signature": lambda value: value["dsseEnvelope"].update(signatures=[]),
    "the signature twice": lambda value: value["dsseEnvelope"].update(
        signatures=value["dsseEnvelope"]["signatures"] * 2
    ),
    "a signature without a key id": lambda value: value["dsseEnvelope"]["signatures"][0].pop("keyid"),
    "a signature with spare bits": lambda value: value["dsseEnvelope"]["signatures"][0].update(sig="YR=="),
}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", CHANGES)
def test_any_other_sigstore_bundle_is_refused(name: str, folder: str, genuine: bytes) -> None:
    path = f"{folder}/{TARGET_A}.sigstore.json"
    data = replaced(genuine, path, lambda content: sigstore_edited(content, CHANGES[name]))
    assert data != genuine
    assert code_of(data) is ExitCode.SIGSTORE_MALFORMED


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="nesting without end"),
    ],
)
def test_what_is_no_sigstore_bundle_is_refused(content: bytes, genuine: bytes) -> None:
    data = replaced(genuine, f"evidence/{TARGET_A}.sigstore.json", lambda _: content)
    assert code_of(data) is ExitCode.SIGSTORE_MALFORMED


def test_another_spelling_of_the_same_sigstore_bundle_is_refused(genuine: bytes) -> None:
    """Programs that read JSON leniently would show it, so that two files would mean one."""
    path = f"evidence/{TARGET_A}.sigstore.json"
    for respell in (lambda content: content + b"\n", lambda content: json.dumps(json.loads(content)).encode()):
        assert code_of(replaced(genuine, path, respell)) is ExitCode.SIGSTORE_MALFORMED


def test_the_sizes_used_above_are_those_of_the_story(story: Story) -> None:
    assert len(story.ledger.last.leaves) == 316
