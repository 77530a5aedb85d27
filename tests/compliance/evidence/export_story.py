"""An export of whole logs out of stories: two logs, requests disclosed or not, trust file, witnesses, everything real.

`files` gives the export as a mapping from path to content, so that a test changes one file before `lay_out` writes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import (
    attachment,
    canonical,
    leaf,
    signing,
    sigstore,
    sigstore_root,
    tile_files,
    tiles,
    trust,
    witness_policy,
)
from compliance.evidence.export_folder import README, Kind, model_name, openings_name, policy_name, signed_name
from compliance.evidence.export_index import ExportedLog, ExportIndex
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import HASH_BYTES, leaf_hash
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.evidence.witness_policy import Group, Witness, WitnessPolicy

from .ledgers import Cosigner, GrowingLog, Ledger
from .registered import RegisteredLedger, RegisteredStory, own_event
from .story import DPO, START, STEPS, Story, some_id

VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
ACROSS_THE_YEAR = (*STEPS[:5], "turn_year", *STEPS[5:])
SHREDDED = (*STEPS, "shred")


@dataclass(frozen=True)
class ExportStory:
    """A ledger, the stories disclosed of it, and what an auditor pins."""

    ledger: Ledger
    disclosed: tuple[Story, ...]
    trust: Trust

    def files(self) -> dict[str, bytes]:
        """The whole export."""
        notes = self.ledger.notes()
        files = {
            "README.txt": README.encode(),
            "export.json": self.index().to_bytes(),
            "trust.json": trust.write(self.trust),
            "trusted_root.json": sigstore_root.write(self.trust),
        }
        for log in self.ledger.logs.values():
            files |= {f"logs/{folder_of(log)}/{name}": content for name, content in log_files(log).items()}
            files[f"logs/{folder_of(log)}/checkpoint"] = notes[log.number]
        for story in self.disclosed:
            files |= request_files(self.ledger, story, notes)
        return files

    def index(self) -> ExportIndex:
        logs = tuple(ExportedLog(log.number, log.vkey, folder_of(log)) for log in self.ledger.logs.values())
        return ExportIndex(exported_at=START + timedelta(days=300), logs=logs)


def folder_of(log: GrowingLog) -> str:
    return str(2025 + log.number)


def log_files(log: GrowingLog) -> dict[str, bytes]:
    """Tiles and entries in the layout of C2SP tlog-tiles, without the checkpoint."""
    files = {
        tile_files.tile_path(level, index, len(content) // HASH_BYTES): content
        for (level, index), content in log.tiles.items()
    }
    for start in range(0, len(log.leaves), tiles.TILE_WIDTH):
        held = log.leaves[start : start + tiles.TILE_WIDTH]
        files[tile_files.entries_path(start // tiles.TILE_WIDTH, len(held))] = tile_files.encode_entries(held)
    return files


def request_files(ledger: Ledger, story: Story, notes: Mapping[int, bytes]) -> dict[str, bytes]:
    """What is disclosed of one request."""
    contents = story.contents()
    files = {model_name(digest): contents.models[digest] for digest in versions_of(contents.evidence)}
    signed: dict[Kind, tuple[AttachedEvidence, ...]] = {"evidence": contents.evidence, "closing": contents.closings}
    for kind, attachments in signed.items():
        for attached in attachments:
            files[signed_name(story.request_id, attached.target, kind)] = sigstore_file(
                ledger, attached.position, attached.envelope, notes, attached.timestamps
            )
    if contents.policy is not None:
        files[policy_name(sha256(contents.policy).hexdigest())] = contents.policy
    if contents.openings is not None:
        files[openings_name(story.request_id)] = contents.openings
    return files


def versions_of(evidence: Sequence[AttachedEvidence]) -> set[str]:
    """Those that signed results name. The manifests of a run without one are not disclosed."""
    said = map(attachment.open_statement, evidence)
    return {digest for facts in said for digest in (facts.before_sha256, facts.after_sha256)}


def sigstore_file(
    ledger: Ledger,
    position: Position,
    envelope: bytes,
    notes: Mapping[int, bytes],
    timestamps: tuple[bytes, ...] = (),
) -> bytes:
    """The Sigstore bundle of an envelope at a position."""
    log = ledger.logs[position.log]
    return sigstore.write(
        sigstore.Parts(
            envelope=envelope,
            leaf=ledger.leaf(position),
            index=position.index,
            path=tiles.inclusion_path(position.index, len(log.leaves), log.read_tile),
            checkpoint=notes[position.log],
            vkey=log.vkey,
            timestamps=timestamps,
        )
    )


def lay_out(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files of an export."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def refuse_others(ledger: Ledger, n_requests: int) -> None:
    """Requests of other people, three entries each, that nobody discloses."""
    entries: list[bytes] = []
    first = sum(len(log.leaves) for log in ledger.logs.values())
    for number in range(n_requests):
        request, previous = some_id(10**9 + 1000 * first + number), None
        for event_type, role, facts in (
            (
                "request.received",
                "subject",
                {"channel": "api", "regulation": "gdpr", "ground": "art17_1_b", "commitment": "a" * 64},
            ),
            ("request.identity_requested", "system", {"method": "email_code"}),
            ("request.refused", "dpo", {"reason": "art17_3_b"}),
        ):
            event = Event(
                type=event_type,
                request=request,
                previous=previous,
                at=START,
                actor_role=role,
                actor_id=DPO,
                facts=facts,
            )
            entries.append(leaf.build(event))
            previous = leaf_hash(entries[-1]).hex()
    ledger.last.append(entries)


def policy_of(cosigners: Sequence[Cosigner], threshold: int) -> str:
    """A witness policy: so many of these must have cosigned."""
    names = tuple(cosigner.name for cosigner in cosigners)
    return witness_policy.write(
        WitnessPolicy(
            logs=(),
            witnesses=tuple(Witness(cosigner.name, cosigner.vkey) for cosigner in cosigners),
            groups=(Group("enough", threshold, names),),
            quorum="enough",
        )
    )


def trust_of(ledger: Ledger, *signers: signing.EvidenceSigner, policy: str | None = None) -> Trust:
    """Trust in the ledger's logs and these keys, valid from the start of 2026 on."""
    return Trust(
        issued_at=START,
        log_vkeys=tuple(log.vkey for log in ledger.logs.values()),
        evidence_keys=tuple(EvidenceKey.of(signer.public_key, VALID_FROM) for signer in signers),
        witness_policy_text=policy,
    )


def whole_story(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> ExportStory:
    """Two logs of 300 and some entries; of the requests one spans the year's turn, one is shredded, one is withheld."""
    cosigners = [Cosigner(f"witness{number}.example") for number in range(3)]
    published = own_event("key.published", purpose="evidence", key_sha256=signer.keyid)
    ledger = RegisteredLedger(log_key, cosigners[:2], first=[published])
    refuse_others(ledger, 90)
    RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=3)
    first = RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=1, steps=ACROSS_THE_YEAR)
    refuse_others(ledger, 4)
    second = RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=2, steps=SHREDDED)
    pinned = trust_of(ledger, signer, policy=policy_of(cosigners, 2))
    return ExportStory(ledger, (first, second), pinned)


def add_request(told: ExportStory, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    """One more completed request in the ledger of a story, not disclosed."""
    assert isinstance(told.ledger, RegisteredLedger)
    RegisteredStory(log_key=log_key, signer=signer, ledger=told.ledger, number=7)


def fingerprint(told: ExportStory) -> str:
    """What the auditor was told of the trust file."""
    return trust.fingerprint(trust.write(told.trust))


def json_of(files: Mapping[str, bytes], name: str) -> dict[str, object]:
    """A file of an export, parsed."""
    value: dict[str, object] = canonical.loads(files[name])
    return value
