"""The auditor's bundle: a ZIP archive with a fixed layout, the same bytes for the same contents.

    README.txt                      for the person who opens it
    bundle.json                     what is inside
    checkpoint                      the signed tree head that every proof leads to
    keys/log.vkey                   keys/evidence-<key id>.pem
    entries/<index, 8 digits>.leaf  entries/<index>.tlog-proof
    evidence/<target>.dsse.json     signed statements
    models/<sha256>.json            model manifests, named by their digest
    policy.json                     once a plan was made
    openings.json                   until the openings are shredded

Reading is strict (container.py): bundle and contents determine each other, byte for byte. Which file may be there
follows from bundle.json, which nobody signs: verify.py relies on nothing in it that proofs and signatures do not
confirm. Its `seal_sha256` finds accidental damage and proves nothing against an attacker.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from compliance.evidence import canonical, container, signing
from compliance.evidence.errors import MalformedFileError, MissingFileError, UnexpectedFileError

FORMAT = "expunge-bundle/1"
_MAX_INDEX = 99_999_999
_KINDS = ("event", "evidence")
_KEYS = frozenset(
    {
        "format",
        "request",
        "exported_at",
        "entries",
        "evidence",
        "models",
        "log_vkey",
        "evidence_keys",
        "seal_sha256",
    }
)
# Part of the format: a bundle with another text is refused, for people do what it says.
README = """Expunge bundle: the record of one erasure request, verifiable without the server that wrote it.

To verify it you need Python 3.11 and the package `expunge` (only three libraries are used:
cryptography, securesystemslib, rfc8785):

    python -m compliance.evidence verify THIS-FILE.zip --log-vkey log.vkey --evidence-key evidence.pem

Verify the very file that you received: an archive that was unpacked and packed again is refused.
Give the command the keys that you obtained from the controller on another way (printed report, contract annex, telephone).
Without them the command uses the keys in this archive and tells you which fingerprints to compare.

Exit code 0 means verified; every kind of damage has its own code: python -m compliance.evidence verify --help

What the command cannot tell you:
- whether this is the request you asked about: compare its id;
- whether the keys are the controller's: compare the fingerprints;
- whether other people are shown the same log: compare the checkpoint with one from elsewhere;
- whether more has happened to a request that is still open: ask for a newer bundle;
- whether the policy asks enough: read policy.json.
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One ledger entry: its index, "event" or "evidence", the leaf and the bytes of its .tlog-proof file."""

    index: int
    kind: str
    leaf: bytes
    proof: bytes


@dataclass(frozen=True, kw_only=True)
class AttachedEvidence:
    """A signed envelope, the target it is about, and the index of its ledger entry."""

    target: str
    entry: int
    envelope: bytes


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """What a bundle holds. `models` maps a digest to a manifest; `openings` is None once they are shredded."""

    request: str
    exported_at: datetime
    checkpoint: bytes
    log_vkey: str
    evidence_keys: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[AttachedEvidence, ...] = ()
    models: Mapping[str, bytes] = field(default_factory=dict)
    policy: bytes | None = None
    openings: bytes | None = None


def write(contents: BundleContents) -> bytes:
    """The archive. Same contents, same bytes. What it holds is checked by `read`, not here."""
    return container.pack(_files(contents))


def _files(contents: BundleContents) -> dict[str, bytes]:
    files = {
        "README.txt": README.encode(),
        "bundle.json": _index(contents),
        "checkpoint": contents.checkpoint,
        "keys/log.vkey": f"{contents.log_vkey}\n".encode(),
    }
    for pem in contents.evidence_keys:
        files[_key_name(signing.public_key_sha256(signing.load_public_key(pem)))] = pem
    for entry in contents.entries:
        files[f"entries/{entry.index:08d}.leaf"] = entry.leaf
        files[f"entries/{entry.index:08d}.tlog-proof"] = entry.proof
    for attached in contents.evidence:
        files[f"evidence/{attached.target}.dsse.json"] = attached.envelope
    for digest in sorted(contents.models):
        files[f"models/{digest}.json"] = contents.models[digest]
    optional = {"policy.json": contents.policy, "openings.json": contents.openings}
    return files | {name: content for name, content in optional.items() if content is not None}


def _index(contents: BundleContents) -> bytes:
    keyids = [signing.public_key_sha256(signing.load_public_key(pem)) for pem in contents.evidence_keys]
    index = {
        "format": FORMAT,
        "request": contents.request,
        "exported_at": canonical.format_time(contents.exported_at),
        "entries": [{"index": entry.index, "kind": entry.kind} for entry in contents.entries],
        "evidence": [{"target": attached.target, "entry": attached.entry} for attached in contents.evidence],
        "models": sorted(contents.models),
        "log_vkey": contents.log_vkey,
        "evidence_keys": keyids,
    }
    return canonical.dumps({**index, "seal_sha256": canonical.digest(index)})


def read(data: bytes) -> BundleContents:
    """Read an archive strictly; raises a NotABundle-, TooLarge-, UnsafeMember-, MissingFile-, UnexpectedFile- or
    MalformedFileError. Nothing in the contents is verified yet."""
    files = container.unpack(data)
    index = _parse_index(_take(files, "bundle.json"))
    if _take(files, "README.txt") != README.encode():
        raise MalformedFileError("README.txt is not the text of this format. Do not do what it says.")
    log_vkey = _take(files, "keys/log.vkey")
    if log_vkey != f"{index['log_vkey']}\n".encode():
        raise MalformedFileError("keys/log.vkey differs from log_vkey in bundle.json.")
    contents = BundleContents(
        request=index["request"],
        exported_at=canonical.parse_time(index["exported_at"]),
        checkpoint=_take(files, "checkpoint"),
        log_vkey=index["log_vkey"],
        evidence_keys=tuple(_public_key(files, keyid) for keyid in index["evidence_keys"]),
        entries=tuple(_entry(files, entry) for entry in index["entries"]),
        evidence=tuple(_attached(files, attached) for attached in index["evidence"]),
        models={digest: _take(files, f"models/{digest}.json") for digest in index["models"]},
        policy=files.pop("policy.json", None),
        openings=files.pop("openings.json", None),
    )
    if files:
        raise UnexpectedFileError(f"bundle.json does not account for {', '.join(sorted(files))}.")
    return contents


def _take(files: dict[str, bytes], name: str) -> bytes:
    if name not in files:
        raise MissingFileError(f"The bundle must hold {name}, which is missing.")
    return files.pop(name)


def _parse_index(data: bytes) -> dict[str, Any]:
    try:
        index = json.loads(data)
    except (RecursionError, ValueError) as error:
        raise MalformedFileError(f"bundle.json is not JSON: {error}.") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise MalformedFileError(f"bundle.json: expected the format {FORMAT!r}. Use a verifier of its version.")
    if set(index) != _KEYS:
        raise MalformedFileError(f"bundle.json: expected exactly the keys {', '.join(sorted(_KEYS))}.")
    try:
        sealed = {key: value for key, value in index.items() if key != "seal_sha256"}
        if canonical.loads(data) != index or canonical.digest(sealed) != index["seal_sha256"]:
            raise ValueError("its seal does not fit its contents: it was damaged or edited")
        _refuse_index(index)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedFileError(f"bundle.json: {error}.") from error
    return index


def _refuse_index(index: dict[str, Any]) -> None:
    canonical.parse_time(index["exported_at"])
    if not canonical.is_uuid4(index["request"]) or not isinstance(index["log_vkey"], str):
        raise ValueError("request must be a UUID version 4 and log_vkey a string")
    if not all(isinstance(index[name], list) for name in ("models", "evidence_keys", "entries", "evidence")):
        raise ValueError("entries, evidence, models and evidence_keys must be lists")
    for name in ("models", "evidence_keys"):
        digests = index[name]
        if not all(map(canonical.is_sha256, digests)) or len(set(digests)) != len(digests):
            raise ValueError(f"{name} must be a list of different SHA-256 digests")
    positions = [entry["index"] for entry in index["entries"]]
    if not all(canonical.is_count(at) and at <= _MAX_INDEX for at in positions):
        raise ValueError(f"entries must have indices from 0 to {_MAX_INDEX}")
    if positions != sorted(set(positions)):
        raise ValueError("entries must be in ascending order of different indices")
    if not all(set(entry) == {"index", "kind"} and entry["kind"] in _KINDS for entry in index["entries"]):
        raise ValueError(f"the kind of an entry must be one of {', '.join(_KINDS)}")
    _refuse_attachments(index)


def _refuse_attachments(index: dict[str, Any]) -> None:
    attachments = index["evidence"]
    if not all(
        set(attached) == {"target", "entry"} and canonical.is_count(attached["entry"]) for attached in attachments
    ):
        raise ValueError("an attachment has exactly a target and the index of its entry")
    targets = [attached["target"] for attached in attachments]
    if not all(map(canonical.is_uuid4, targets)) or len(set(targets)) != len(targets):
        raise ValueError("each attachment must name another target")
    logged = [entry["index"] for entry in index["entries"] if entry["kind"] == "evidence"]
    if sorted(attached["entry"] for attached in attachments) != logged:
        raise ValueError("each entry of kind evidence must have exactly one attachment")


def _key_name(keyid: str) -> str:
    return f"keys/evidence-{keyid}.pem"


def _public_key(files: dict[str, bytes], keyid: str) -> bytes:
    name = _key_name(keyid)
    pem = _take(files, name)
    key = signing.load_public_key(pem)
    if signing.public_key_sha256(key) != keyid or signing.public_key_pem(key) != pem:
        raise MalformedFileError(f"{name} does not hold the key of its name, or not in its plain PEM form.")
    return pem


def _entry(files: dict[str, bytes], entry: dict[str, Any]) -> Entry:
    stem = f"entries/{entry['index']:08d}"
    leaf, proof = _take(files, f"{stem}.leaf"), _take(files, f"{stem}.tlog-proof")
    return Entry(index=entry["index"], kind=entry["kind"], leaf=leaf, proof=proof)


def _attached(files: dict[str, bytes], attached: dict[str, Any]) -> AttachedEvidence:
    envelope = _take(files, f"evidence/{attached['target']}.dsse.json")
    return AttachedEvidence(target=attached["target"], entry=attached["entry"], envelope=envelope)
