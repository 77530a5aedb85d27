"""The auditor's bundle: a ZIP archive with a fixed layout, the same bytes for the same contents.

    README.txt                            for the person who opens it
    bundle.json                           what is inside
    logs/<log>.checkpoint  .vkey          the signed head of each log that holds an entry, and its key
    entries/<log>-<index>.leaf            and .tlog-proof: the request's entries, and the first one of each log but number 1
    challenges/<log>-<size>.consistency   that the log only grew since a head that evidence names as its challenge
    evidence/<target>.sigstore.json       signed results, as Sigstore bundles
    closing/<target>.sigstore.json        signed summaries of a completed request
    keys/evidence-<key id>.pem
    models/<sha256>.json                  model manifests, named by their digest
    policy.json                           once a plan was made
    openings.json                         until the openings are shredded

Reading is strict (container.py): bundle and contents determine each other, byte for byte; for the Sigstore bundles,
that repeat entries, proofs and checkpoints, `refuse_other_sigstore` sees to it once those are verified, so that damage
is told where it is. Which file may be there follows from bundle.json, which nobody signs: verify.py relies on nothing
in it that proofs and signatures do not confirm. Its `seal_sha256` finds accidental damage and proves nothing against an
attacker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from compliance.evidence import bundle_index, container, dsse, file_limits, proof, sigstore
from compliance.evidence.bundle_index import Index
from compliance.evidence.errors import MalformedFileError, MissingFileError, SigstoreBundleError, UnexpectedFileError
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence

# Part of the format: a bundle with another text is refused, for people do what it says.
README = """Expunge bundle: the record of one erasure request, verifiable without the server that wrote it.

To verify it you need Python 3.11, the package `expunge` and the library `cryptography`, nothing else:

    python -m compliance.evidence verify THIS-FILE.zip --trust trust.json

Verify the very file that you received: an archive that was unpacked and packed again is refused.
Give the command the trust file that you obtained from the controller on another way, after comparing its fingerprint.
Without it the command uses the keys in this archive and tells you which fingerprints to compare.

Exit code 0 means verified; every kind of damage has its own code: python -m compliance.evidence verify --help
Other programs verify parts of it, too: docs/evidence.md shows how with OpenSSL, cosign, Node and Go.

What the command cannot tell you:
- whether this is the request you asked about: compare its id;
- whether the keys are the controller's: compare the fingerprints;
- whether other people are shown the same log: compare the checkpoint with one from elsewhere;
- whether more has happened to a request that is still open: ask for a newer bundle;
- whether the policy asks enough: read policy.json.
"""


@dataclass(frozen=True, kw_only=True)
class BundledLog:
    """A log that holds entries of the bundle: its number, its key, and the signed note of its head."""

    number: int
    vkey: str
    checkpoint: bytes


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One ledger entry: its position, "event", "evidence" or "log", the leaf and the bytes of its .tlog-proof file."""

    position: Position
    kind: str
    leaf: bytes
    proof: bytes


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """What a bundle holds. `challenges` maps log and size to a consistency proof, `models` a digest to a manifest;
    `openings` is None once they are shredded."""

    request: str
    exported_at: datetime
    logs: tuple[BundledLog, ...]
    evidence_keys: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[AttachedEvidence, ...] = ()
    closings: tuple[AttachedEvidence, ...] = ()
    challenges: Mapping[tuple[int, int], bytes] = field(default_factory=dict)
    models: Mapping[str, bytes] = field(default_factory=dict)
    policy: bytes | None = None
    openings: bytes | None = None


def write(contents: BundleContents) -> bytes:
    """The archive. Same contents, same bytes. What it holds is checked by `read`, not here."""
    return container.pack(_files(contents))


def _files(contents: BundleContents) -> dict[str, bytes]:
    files = {"README.txt": README.encode(), "bundle.json": bundle_index.write(_index(contents))}
    for log in contents.logs:
        files[f"logs/{log.number}.checkpoint"] = log.checkpoint
        files[f"logs/{log.number}.vkey"] = f"{log.vkey}\n".encode()
    for pem in contents.evidence_keys:
        files[_key_name(dsse.public_key_sha256(dsse.load_public_key(pem)))] = pem
    for entry in contents.entries:
        files[f"{_stem(entry.position)}.leaf"] = entry.leaf
        files[f"{_stem(entry.position)}.tlog-proof"] = entry.proof
    for challenge, consistency in contents.challenges.items():
        files[_challenge_name(challenge)] = consistency
    for folder, attachments in _folders(contents):
        for attached in attachments:
            files[f"{folder}/{attached.target}.sigstore.json"] = _sigstore(attached, contents.logs, contents.entries)
    for digest in sorted(contents.models):
        files[f"models/{digest}.json"] = contents.models[digest]
    optional = {"policy.json": contents.policy, "openings.json": contents.openings}
    return files | {name: content for name, content in optional.items() if content is not None}


def _index(contents: BundleContents) -> Index:
    return Index(
        request=contents.request,
        exported_at=contents.exported_at,
        logs={log.number: log.vkey for log in contents.logs},
        entries=tuple((entry.position, entry.kind) for entry in contents.entries),
        evidence={attached.target: attached.position for attached in contents.evidence},
        closings={attached.target: attached.position for attached in contents.closings},
        challenges=tuple(contents.challenges),
        models=tuple(sorted(contents.models)),
        evidence_keys=tuple(dsse.public_key_sha256(dsse.load_public_key(pem)) for pem in contents.evidence_keys),
    )


def read(data: bytes) -> BundleContents:
    """Read an archive strictly; raises a NotABundle-, TooLarge-, UnsafeMember-, MissingFile-, UnexpectedFile-,
    MalformedFile- or SigstoreBundleError. Nothing in the contents is verified yet."""
    files = container.unpack(data)
    for name, content in files.items():
        file_limits.refuse_large(name, len(content), file_limits.max_bytes_of(name))
    index = bundle_index.parse(_take(files, "bundle.json"))
    if _take(files, "README.txt") != README.encode():
        raise MalformedFileError("README.txt is not the text of this format. Do not do what it says.")
    contents = BundleContents(
        request=index.request,
        exported_at=index.exported_at,
        logs=tuple(_log(files, number, vkey) for number, vkey in index.logs.items()),
        evidence_keys=tuple(_public_key(files, keyid) for keyid in index.evidence_keys),
        entries=tuple(_entry(files, position, kind) for position, kind in index.entries),
        evidence=_attachments(files, "evidence", index.evidence),
        closings=_attachments(files, "closing", index.closings),
        challenges={each: _take(files, _challenge_name(each)) for each in index.challenges},
        models={digest: _take(files, f"models/{digest}.json") for digest in index.models},
        policy=files.pop("policy.json", None),
        openings=files.pop("openings.json", None),
    )
    if files:
        raise UnexpectedFileError(f"bundle.json does not account for {', '.join(sorted(files))}.")
    return contents


def refuse_other_sigstore(data: bytes, contents: BundleContents) -> None:
    """Raises SigstoreBundleError unless each Sigstore bundle of the archive is the one that envelope, time stamps,
    entry, proof and checkpoint determine. `contents` is what was read from the archive, with every entry verified."""
    written = container.unpack(data)
    for folder, attachments in _folders(contents):
        for attached in attachments:
            name = f"{folder}/{attached.target}.sigstore.json"
            if _sigstore(attached, contents.logs, contents.entries) != written[name]:
                raise SigstoreBundleError(
                    f"{name} does not carry the entry, proof and checkpoint of {attached.position}."
                )


def _take(files: dict[str, bytes], name: str) -> bytes:
    if name not in files:
        raise MissingFileError(f"The bundle must hold {name}, which is missing.")
    return files.pop(name)


def _stem(position: Position) -> str:
    return f"entries/{position.log}-{position.index:08d}"


def _challenge_name(challenge: tuple[int, int]) -> str:
    return f"challenges/{challenge[0]}-{challenge[1]:08d}.consistency"


def _key_name(keyid: str) -> str:
    return f"keys/evidence-{keyid}.pem"


def _log(files: dict[str, bytes], number: int, vkey: str) -> BundledLog:
    if _take(files, f"logs/{number}.vkey") != f"{vkey}\n".encode():
        raise MalformedFileError(f"logs/{number}.vkey differs from the vkey in bundle.json.")
    return BundledLog(number=number, vkey=vkey, checkpoint=_take(files, f"logs/{number}.checkpoint"))


def _public_key(files: dict[str, bytes], keyid: str) -> bytes:
    name = _key_name(keyid)
    pem = _take(files, name)
    key = dsse.load_public_key(pem)
    if dsse.public_key_sha256(key) != keyid or dsse.public_key_pem(key) != pem:
        raise MalformedFileError(f"{name} does not hold the key of its name, or not in its plain PEM form.")
    return pem


def _entry(files: dict[str, bytes], position: Position, kind: str) -> Entry:
    leaf, written = _take(files, f"{_stem(position)}.leaf"), _take(files, f"{_stem(position)}.tlog-proof")
    return Entry(position=position, kind=kind, leaf=leaf, proof=written)


def _attachments(
    files: dict[str, bytes], folder: str, positions: Mapping[str, Position]
) -> tuple[AttachedEvidence, ...]:
    """The envelopes and tokens of a folder."""
    attachments = []
    for target, position in positions.items():
        parts = sigstore.read(_take(files, f"{folder}/{target}.sigstore.json"))
        attachments.append(
            AttachedEvidence(target=target, position=position, envelope=parts.envelope, timestamps=parts.timestamps)
        )
    return tuple(attachments)


def _folders(contents: BundleContents) -> tuple[tuple[str, tuple[AttachedEvidence, ...]], ...]:
    return ("evidence", contents.evidence), ("closing", contents.closings)


def _sigstore(attached: AttachedEvidence, logs: Sequence[BundledLog], entries: Sequence[Entry]) -> bytes:
    """The Sigstore bundle that an attachment, its entry and its log determine."""
    (entry,) = (entry for entry in entries if entry.position == attached.position)
    (log,) = (log for log in logs if log.number == attached.position.log)
    return sigstore.write(
        sigstore.Parts(
            envelope=attached.envelope,
            leaf=entry.leaf,
            index=entry.position.index,
            path=proof.parse(entry.proof).path,
            checkpoint=log.checkpoint,
            vkey=log.vkey,
            timestamps=attached.timestamps,
        )
    )
