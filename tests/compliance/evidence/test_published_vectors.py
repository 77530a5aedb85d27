"""Vectors that others published, as data: the proofs of transparency-dev/merkle, the notes of C2SP and of Go.

Each source, with commit and licence, stands in vectors/ or beside the example.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence import checkpoint, merkle
from compliance.evidence.canonical import decode_base64
from compliance.evidence.errors import (
    CheckpointKeyError,
    CheckpointMalformedError,
    CheckpointSignatureError,
    ProofError,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "transparency_dev_merkle.json").read_text())


def named(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["file"]) for vector in VECTORS[kind]]


def path_of(vector: dict[str, Any]) -> list[bytes]:
    return [decode_base64(sibling) for sibling in vector["proof"] or []]


def check_inclusion(vector: dict[str, Any]) -> None:
    leaf, root = decode_base64(vector["leafHash"] or ""), decode_base64(vector["root"] or "")
    merkle.verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], path_of(vector), root)


def check_consistency(vector: dict[str, Any]) -> None:
    old, new = decode_base64(vector["root1"] or ""), decode_base64(vector["root2"] or "")
    merkle.verify_consistency(vector["size1"], vector["size2"], path_of(vector), old, new)


@pytest.mark.parametrize("vector", named("inclusion"))
def test_inclusion_proofs_are_judged_as_published(vector: dict[str, Any]) -> None:
    if vector["wantErr"]:
        with pytest.raises(ProofError):
            check_inclusion(vector)
    else:
        check_inclusion(vector)


# Its roots are words. The library, which knows many hash functions, takes them; we take 32 bytes alone.
NO_HASHES = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


@pytest.mark.parametrize("vector", named("consistency"))
def test_consistency_proofs_are_judged_as_published(vector: dict[str, Any]) -> None:
    if vector["wantErr"] or vector["file"] == NO_HASHES:
        with pytest.raises(ProofError):
            check_consistency(vector)
    else:
        check_consistency(vector)


def test_the_published_vectors_hold_good_and_bad_proofs_of_both_kinds() -> None:
    for kind in ("inclusion", "consistency"):
        assert len(VECTORS[kind]) == 98
        assert {vector["wantErr"] for vector in VECTORS[kind]} == {True, False}


# C2SP/C2SP at 5ba5ee8, signed-note.md, "Verifier keys", example (CC BY 4.0).
C2SP_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# golang.org/x/mod/sumdb/note, documentation of the package (BSD-3-Clause).
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
NOTES = [
    pytest.param(C2SP_VKEY, C2SP_NOTE, "example.com/foo", id="C2SP"),
    pytest.param(GO_VKEY, GO_NOTE, "PeterNeumann", id="Go"),
]


@pytest.mark.parametrize(("vkey", "note", "name"), NOTES)
def test_the_published_notes_verify_under_their_published_keys(vkey: str, note: bytes, name: str) -> None:
    text, signers = checkpoint.verify_note(note, [vkey])
    assert note.startswith(text + b"\n")
    assert signers == (name,)


@pytest.mark.parametrize(("vkey", "note", "name"), NOTES)
def test_the_published_notes_are_refused_when_changed_or_under_another_key(vkey: str, note: bytes, name: str) -> None:
    with pytest.raises(CheckpointSignatureError):
        checkpoint.verify_note(note.replace(b"is", b"iz", 1), [vkey])
    with pytest.raises(CheckpointKeyError):
        checkpoint.verify_note(note, [key for key in (C2SP_VKEY, GO_VKEY) if key != vkey])


@pytest.mark.parametrize(("vkey", "note", "name"), NOTES)
def test_a_genuine_note_that_is_no_checkpoint_is_not_taken_for_one(vkey: str, note: bytes, name: str) -> None:
    with pytest.raises(CheckpointMalformedError):
        checkpoint.open_note(note, [vkey])


@pytest.mark.parametrize("vkey", [C2SP_VKEY, GO_VKEY])
def test_the_key_ids_of_published_keys_are_those_that_we_compute(vkey: str) -> None:
    assert checkpoint.parse_vkey(vkey).key_id.hex() == vkey.split("+")[1]


def test_the_example_of_a_checkpoint_has_the_form_of_ours_and_no_key_that_we_trust() -> None:
    """C2SP/C2SP at 5ba5ee8, tlog-checkpoint.md, first example (CC BY 4.0); its key is not published."""
    signature = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    root = decode_base64("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert checkpoint.Checkpoint("example.com/behind-the-sofa", 20852163, root).body() == text.encode()
    note = f"{text}\n— example.com/behind-the-sofa {signature}\n".encode()
    with pytest.raises(CheckpointKeyError, match="033de0ae"):
        checkpoint.open_note(note, [C2SP_VKEY])
