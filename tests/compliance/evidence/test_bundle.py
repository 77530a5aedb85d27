"""The bundle: the same bytes for the same contents, read back as written, no file missing, added or unaccounted for."""

import dataclasses
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from compliance.evidence import bundle, bundle_index, canonical, container, dsse, signing
from compliance.evidence.bundle import BundleContents
from compliance.evidence.errors import (
    EvidenceError,
    ExitCode,
    MalformedFileError,
    MissingFileError,
    TooLargeError,
    UnexpectedFileError,
)
from compliance.evidence.file_limits import MAX_PARSED_BYTES, MAX_SIGSTORE_BYTES

from .archive import pack, reindexed, replaced, unpack
from .story import START, Story

README_SHA256 = "fd6ab54d0870641aef846a0337ccda281376d76d976a7704980f5e31e6b09a52"


def code_of(data: bytes) -> ExitCode:
    try:
        bundle.read(data)
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def dropped(name: str) -> Callable[[bytes], bytes]:
    return lambda data: pack({key: content for key, content in unpack(data).items() if key != name})


def test_every_file_of_a_bundle_is_missed_when_it_is_gone(genuine: bytes) -> None:
    """Except those that a bundle need not have; what their absence means is for the verifier."""
    for name in set(unpack(genuine)) - {"policy.json", "openings.json"}:
        with pytest.raises(MissingFileError, match=name):
            bundle.read(dropped(name)(genuine))


def test_every_file_too_many_is_refused_by_name(genuine: bytes) -> None:
    for name in ("notes.txt", "logs/2.vkey", "entries/1-00000001.leaf", "evidence/x.sigstore.json", "models/x.json"):
        with pytest.raises(UnexpectedFileError, match=name):
            bundle.read(pack(unpack(genuine) | {name: b"{}"}))


def test_a_readme_with_other_advice_is_refused(genuine: bytes) -> None:
    data = replaced(genuine, "README.txt", lambda text: text + b"\nThe fingerprint is 00.\n")
    with pytest.raises(MalformedFileError, match="Do not do what it says"):
        bundle.read(data)


def set_to(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda index: index.update(changes)


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda index: index.pop(name)


BAD_INDEX: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": set_to(format="expunge-bundle/1"),
    "a format that is a list": set_to(format=["expunge-bundle/2"]),
    "a member too many": set_to(note="x"),
    "no models": without("models"),
    "no logs": without("logs"),
    "logs that are an object": set_to(logs={}),
    "an empty list of logs": set_to(logs=[]),
    "nothing at all": set_to(logs=[], entries=[], evidence=[], closings=[], models=[], evidence_keys=[]),
    "a log without a key": set_to(logs=[{"log": 1}]),
    "a log whose key is a list": set_to(logs=[{"log": 1, "vkey": []}]),
    "another key than the file": set_to(logs=[{"log": 1, "vkey": "ledger.example/test+00000000+AAAA"}]),
    "a log with a remark": lambda index: index["logs"][0].update(note=""),
    "a log number zero": set_to(logs=[{"log": 0, "vkey": ""}]),
    "a log number that is true": lambda index: index["logs"][0].update(log=True),
    "a log number beyond four digits": set_to(logs=[{"log": 10_000, "vkey": ""}]),
    "a log number in words": set_to(logs=[{"log": "1", "vkey": ""}]),
    "a log twice": lambda index: index["logs"].append(index["logs"][0]),
    "a log that holds no entry": lambda index: index["logs"].append({**index["logs"][0], "log": 2}),
    "logs out of order": lambda index: index["logs"].insert(0, {**index["logs"][0], "log": 2}),
    "an entry of a log that is not listed": lambda index: index["entries"][-1].update(log=2),
    "a request that is a name": set_to(request="jane"),
    "a time of another zone": set_to(exported_at="2026-05-02T12:00:00+00:00"),
    "a time that is null": set_to(exported_at=None),
    "entries that are an object": set_to(entries={}),
    "entries that are numbers": set_to(entries=[300]),
    "entries without an index": set_to(entries=[{"log": 1, "kind": "event"}]),
    "entries with a remark": set_to(entries=[{"log": 1, "index": 300, "kind": "event", "note": ""}]),
    "entries without a log": set_to(entries=[{"index": 300, "kind": "event"}]),
    "entries below zero": lambda index: index["entries"][0].update(index=-1),
    "entries beyond eight digits": lambda index: index["entries"][-3].update(index=100_000_000),
    "entries of another kind": lambda index: index["entries"][0].update(kind="note"),
    "entries of a kind that is a list": lambda index: index["entries"][0].update(kind=["event"]),
    "evidence that is text": set_to(evidence="none"),
    "evidence without a target": set_to(evidence=[{"log": 1, "index": 311}]),
    "evidence of a target by name": lambda index: index["evidence"][0].update(target="model"),
    "evidence with an index in words": lambda index: index["evidence"][0].update(index="311"),
    "evidence of another log": lambda index: index["evidence"][0].update(log=2),
    "evidence with a remark": lambda index: index["evidence"][0].update(note=""),
    "summaries that are text": set_to(closings="none"),
    "summaries of a target by name": lambda index: index["closings"][0].update(target="model"),
    "two summaries of one target": lambda index: index["closings"][0].update(target=index["closings"][1]["target"]),
    "a summary at an entry that is not listed": lambda index: index["closings"][0].update(index=5),
    "no summaries": without("closings"),
    "models that are numbers": set_to(models=[1]),
    "models by path": set_to(models=["../" * 21 + "a"]),
    "keys by path": set_to(evidence_keys=["../" * 21 + "a"]),
}


@pytest.mark.parametrize("name", BAD_INDEX)
def test_another_form_of_index_is_refused(name: str, genuine: bytes) -> None:
    assert code_of(reindexed(genuine, BAD_INDEX[name])) is ExitCode.MALFORMED_FILE


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"index", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"format":"expunge-bundle/2"}', id="a format alone"),
        pytest.param(b"[" * 100_000, id="nesting without end"),
        pytest.param(b"\xff", id="no UTF-8"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes, genuine: bytes) -> None:
    assert code_of(replaced(genuine, "bundle.json", lambda _: content)) is ExitCode.MALFORMED_FILE


def padded(n_bytes: int) -> bytes:
    """JSON that becomes many times as large in memory."""
    return b"[" + b",".join([b"[]"] * (n_bytes // 3)) + b"]"


@pytest.mark.parametrize("name", ["bundle.json", "policy.json", "openings.json", "logs/1.checkpoint"])
def test_a_file_that_would_be_parsed_is_refused_before_when_it_is_large(name: str, genuine: bytes) -> None:
    with pytest.raises(TooLargeError, match=name):
        bundle.read(replaced(genuine, name, lambda _: padded(MAX_PARSED_BYTES + 3)))


def test_signed_evidence_beyond_its_limit_is_refused(genuine: bytes) -> None:
    name = next(name for name in unpack(genuine) if name.startswith("evidence/"))
    with pytest.raises(TooLargeError, match=name):
        bundle.read(replaced(genuine, name, lambda content: content + bytes(MAX_SIGSTORE_BYTES)))


def test_a_manifest_may_be_larger_for_it_is_only_hashed(genuine: bytes) -> None:
    name = next(name for name in unpack(genuine) if name.startswith("models/"))
    content = padded(MAX_PARSED_BYTES + 3)
    assert content in bundle.read(replaced(genuine, name, lambda _: content)).models.values()


@pytest.mark.parametrize("written", ["expunge-bundle/1", "expunge-bundle/3", None])
def test_another_version_of_the_format_is_told_as_such(written: str | None, genuine: bytes) -> None:
    with pytest.raises(MalformedFileError, match="Use a verifier of its version"):
        bundle.read(reindexed(genuine, set_to(format=written)))


def test_an_index_that_was_changed_without_its_seal_is_refused(genuine: bytes) -> None:
    data = replaced(genuine, "bundle.json", lambda content: content.replace(b"2026-05-02", b"2026-05-03"))
    with pytest.raises(MalformedFileError, match="seal"):
        bundle.read(data)


def test_a_key_file_that_holds_another_key_than_its_name_says_is_refused(genuine: bytes) -> None:
    name = next(name for name in unpack(genuine) if name.endswith(".pem"))
    other = dsse.public_key_pem(ec.generate_private_key(ec.SECP256R1()).public_key())
    for content in (other, other + b"\n", b"no key"):
        assert code_of(pack(unpack(genuine) | {name: content})) is ExitCode.MALFORMED_FILE


def test_a_key_file_with_anything_around_the_key_is_refused(genuine: bytes) -> None:
    """PEM readers skip what stands before and behind; here it would be bytes without effect."""
    name = next(name for name in unpack(genuine) if name.endswith(".pem"))
    for change in (lambda pem: b"the key of Jane\n" + pem, lambda pem: pem + b"trailer\n"):
        assert code_of(replaced(genuine, name, change)) is ExitCode.MALFORMED_FILE


def test_a_bundle_is_read_back_as_it_was_written(story: Story) -> None:
    contents = story.contents()
    assert bundle.read(bundle.write(contents)) == contents


def test_the_smallest_bundle_is_read_back_as_it_was_written(story: Story) -> None:
    contents = story.contents()
    smallest = BundleContents(
        request=contents.request,
        exported_at=START,
        logs=contents.logs,
        evidence_keys=(),
        entries=contents.entries[:1],
    )
    assert bundle.read(bundle.write(smallest)) == smallest


def test_the_same_contents_give_the_same_bytes(story: Story) -> None:
    contents = story.contents()
    reordered = dataclasses.replace(contents, models=dict(reversed(list(contents.models.items()))))
    assert bundle.write(contents) == bundle.write(contents) == bundle.write(reordered)


def test_other_contents_give_other_bytes(story: Story) -> None:
    contents = story.contents()
    changes: list[dict[str, Any]] = [{"openings": None}, {"policy": None}, {"exported_at": START}]
    for change in changes:
        assert bundle.write(dataclasses.replace(contents, **change)) != bundle.write(contents)


def test_the_files_are_those_that_the_documentation_names(story: Story, signer: signing.EvidenceSigner) -> None:
    contents = story.contents()
    expected = {"README.txt", "bundle.json", "logs/1.checkpoint", "logs/1.vkey", "policy.json", "openings.json"}
    expected |= {f"keys/evidence-{signer.keyid}.pem"}
    indices = [entry.position.index for entry in contents.entries]
    expected |= {f"entries/1-{index:08d}.{kind}" for index in indices for kind in ("leaf", "tlog-proof")}
    expected |= {f"evidence/{attached.target}.sigstore.json" for attached in contents.evidence}
    expected |= {f"closing/{attached.target}.sigstore.json" for attached in contents.closings}
    expected |= {f"challenges/{log}-{size:08d}.consistency" for log, size in contents.challenges}
    expected |= {f"models/{digest}.json" for digest in contents.models}
    assert set(container.unpack(bundle.write(contents))) == expected


def test_the_readme_is_part_of_the_format() -> None:
    """Bundles with another text are refused, so a new text needs a new number of the format."""
    assert bundle_index.FORMAT == "expunge-bundle/2"
    assert sha256(bundle.README.encode()).hexdigest() == README_SHA256


def test_the_seal_is_the_digest_of_the_rest(genuine: bytes) -> None:
    index = canonical.loads(unpack(genuine)["bundle.json"])
    seal = index.pop("seal_sha256")
    assert seal == canonical.digest(index)
