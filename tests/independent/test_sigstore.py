"""Sigstore's own library takes this ledger for a Rekor v2 log, and refuses what was changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence import canonical, dsse, sigstore_root
from tests.compliance.evidence.edits import sigstore_edited
from tests.compliance.evidence.ledgers import Cosigner
from tests.compliance.evidence.story import new_signer
from tests.services.timestamp_authority import TimestampAuthority

from . import sigstore_client
from .conftest import Evidence

Change = Callable[[dict[str, Any]], object]


def verify(evidence: Evidence, folder: Path, *bundles: bytes, n_timestamps: int = 1) -> list[dict[str, Any]]:
    """What Sigstore's verifier says about each of these bundles, when it asks for so many time stamps."""
    return sigstore_client.verify(
        folder,
        bundles,
        trusted_root=sigstore_root.write(evidence.trust),
        key_der=dsse.public_key_der(evidence.signer.public_key),
        n_timestamps=n_timestamps,
    )


def entry_of(bundle: dict[str, Any]) -> Any:
    return bundle["verificationMaterial"]["tlogEntries"][0]


def flipped(text: str) -> str:
    """The base64 of the same bytes with the last bit flipped: in a signature, a digest, a key or a brace."""
    content = bytearray(canonical.decode_base64(text))
    content[-1] ^= 1
    return canonical.encode_base64(bytes(content))


def flip(holder: Any, name: str | int) -> None:
    """Flip one bit of what is held in base64."""
    holder[name] = flipped(holder[name])


def move(bundle: dict[str, Any]) -> None:
    entry = entry_of(bundle)
    moved = str(int(entry["logIndex"]) - 1)
    entry["logIndex"] = entry["inclusionProof"]["logIndex"] = moved


def swap_path(bundle: dict[str, Any]) -> None:
    hashes = entry_of(bundle)["inclusionProof"]["hashes"]
    hashes[0], hashes[1] = hashes[1], hashes[0]


def grow(bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    origin, size, rest = proof["checkpoint"]["envelope"].split("\n", 2)
    proof["treeSize"] = str(int(size) + 1)
    proof["checkpoint"]["envelope"] = f"{origin}\n{int(size) + 1}\n{rest}"


def rename(bundle: dict[str, Any]) -> None:
    checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace("ledger.example", "ledger.invalid")


def stamps(bundle: dict[str, Any]) -> Any:
    return bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]


INCLUSION, BODY, TIME = "TLOG_INCLUSION_PROOF_ERROR", "TLOG_BODY_ERROR", "TIMESTAMP_ERROR"
CHANGES: dict[str, tuple[Change, str]] = {
    "another statement": (lambda bundle: flip(bundle["dsseEnvelope"], "payload"), BODY),
    "another signature": (lambda bundle: flip(bundle["dsseEnvelope"]["signatures"][0], "sig"), TIME),
    "another type of statement": (lambda bundle: bundle["dsseEnvelope"].update(payloadType="application/json"), BODY),
    "another key": (
        lambda bundle: bundle["verificationMaterial"]["publicKey"].update(hint="0" * 64),
        "PUBLIC_KEY_ERROR",
    ),
    "another entry": (lambda bundle: flip(entry_of(bundle), "canonicalizedBody"), INCLUSION),
    "another index": (move, INCLUSION),
    "a path out of order": (swap_path, INCLUSION),
    "a path with another hash": (lambda bundle: flip(entry_of(bundle)["inclusionProof"]["hashes"], 0), INCLUSION),
    "a path that is too short": (lambda bundle: entry_of(bundle)["inclusionProof"]["hashes"].pop(), INCLUSION),
    "a larger log": (grow, INCLUSION),
    "a checkpoint of another log": (rename, INCLUSION),
    "an entry of another log": (lambda bundle: flip(entry_of(bundle)["logId"], "keyId"), INCLUSION),
    "no entry": (lambda bundle: bundle["verificationMaterial"].update(tlogEntries=[]), "TLOG_ERROR"),
    "no time stamp": (lambda bundle: bundle["verificationMaterial"].pop("timestampVerificationData"), TIME),
    "a time stamp that was changed": (lambda bundle: flip(stamps(bundle)[0], "signedTimestamp"), TIME),
}


@pytest.fixture(scope="module")
def answers(evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is said about the genuine bundle and about each changed one, asked in one process."""
    changed = [sigstore_edited(evidence.bundle, change) for change, _ in CHANGES.values()]
    said = verify(evidence, tmp_path_factory.mktemp("sigstore"), evidence.bundle, *changed)
    return dict(zip(("genuine", *CHANGES), said, strict=True))


@pytest.mark.parametrize("name", CHANGES)
def test_sigstore_refuses_a_bundle_with(name: str, answers: dict[str, dict[str, Any]]) -> None:
    assert (answers[name]["verified"], answers[name]["code"]) == (False, CHANGES[name][1])


def test_sigstore_accepts_a_genuine_bundle(answers: dict[str, dict[str, Any]]) -> None:
    """Signature, entry, inclusion, checkpoint and time stamp, with nothing but our public keys."""
    assert answers["genuine"] == {"verified": True}


def test_without_an_authority_signature_entry_and_proof_are_verified_all_the_same(
    evidence: Evidence, tmp_path: Path
) -> None:
    """An installation need not have one; then its bundles carry no token, and its trust file names none."""

    def unstamp(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"].pop("timestampVerificationData")

    plain = sigstore_edited(evidence.bundle, unstamp)
    changes = {name: (change, code) for name, (change, code) in CHANGES.items() if code != TIME}
    changed = [sigstore_edited(plain, change) for change, _ in changes.values()]
    unstamped = replace(evidence, bundle=plain, trust=replace(evidence.trust, timestamp_authorities=()))
    accepted, *refused = verify(unstamped, tmp_path, plain, *changed, n_timestamps=0)
    assert accepted == {"verified": True}
    assert [answer.get("code") for answer in refused] == [code for _, code in changes.values()]


def test_a_token_is_verified_also_where_none_is_asked_for(evidence: Evidence, tmp_path: Path) -> None:
    changed = sigstore_edited(evidence.bundle, lambda bundle: flip(stamps(bundle)[0], "signedTimestamp"))
    (answer,) = verify(evidence, tmp_path, changed, n_timestamps=0)
    assert (answer["verified"], answer["code"]) == (False, TIME)


def test_one_token_twice_does_not_count_as_two(evidence: Evidence, tmp_path: Path) -> None:
    def double(bundle: dict[str, Any]) -> None:
        stamps(bundle).append(stamps(bundle)[0])

    for bundle in (evidence.bundle, sigstore_edited(evidence.bundle, double)):
        (answer,) = verify(evidence, tmp_path, bundle, n_timestamps=2)
        assert (answer["verified"], answer["code"]) == (False, TIME)


def test_sigstore_refuses_a_time_stamp_over_other_bytes(
    evidence: Evidence, timestamp_authority: TimestampAuthority, tmp_path: Path
) -> None:
    other = canonical.encode_base64(timestamp_authority.stamp(b"another signature"))
    changed = sigstore_edited(evidence.bundle, lambda bundle: stamps(bundle)[0].update(signedTimestamp=other))
    (answer,) = verify(evidence, tmp_path, changed)
    assert (answer["verified"], answer["code"]) == (False, "TIMESTAMP_ERROR")


def test_sigstore_refuses_two_signatures_before_it_looks_at_them(evidence: Evidence, tmp_path: Path) -> None:
    def double(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"] *= 2

    (answer,) = verify(evidence, tmp_path, sigstore_edited(evidence.bundle, double))
    assert (answer["verified"], answer["message"]) == (False, "invalid bundle")


def test_sigstore_refuses_another_auditors_key(evidence: Evidence, tmp_path: Path) -> None:
    other = Evidence(evidence.bundle, evidence.envelope, new_signer(), evidence.trust)
    (answer,) = verify(other, tmp_path, evidence.bundle)
    assert (answer["verified"], answer["code"]) == (False, "PUBLIC_KEY_ERROR")


def test_sigstore_accepts_a_cosigned_checkpoint(evidence: Evidence, tmp_path: Path) -> None:
    """Lines of witnesses, which it does not know, do not disturb it."""

    def cosign(bundle: dict[str, Any]) -> None:
        checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
        checkpoint["envelope"] = Cosigner("witness.example/w").cosigned(checkpoint["envelope"].encode()).decode()

    assert verify(evidence, tmp_path, sigstore_edited(evidence.bundle, cosign)) == [{"verified": True}]
