"""One request as an auditor gets it: entries with proofs, evidence, manifests, policy, keys and openings in a ZIP.

Only rows are read here; every proof is made from stored tiles and leads to one signed checkpoint.

Next: compliance/evidence/verify.py
"""

import uuid
from datetime import UTC, datetime

from django.db.models import F

from compliance.evidence import bundle, proof, tiles
from compliance.evidence.bundle import AttachedEvidence, BundleContents, Entry
from compliance.evidence.checkpoint import open_note
from compliance.evidence.commitment import Openings
from compliance.evidence.errors import EvidenceError
from compliance.ledger import checkpointer
from compliance.ledger.models import EntryKind, LedgerEntry, PendingEntry, PublicKey, SignedCheckpoint
from compliance.ledger.sequencer import read_tile
from compliance.requests import identities, queries
from compliance.requests.actions.submit import payload
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, Evidence
from compliance.requests.states import TargetState

JUDGED = (TargetState.PASSED, TargetState.FAILED, TargetState.INCONCLUSIVE, TargetState.DEPLOYED)


def export(request_id: uuid.UUID, *, now: datetime | None = None) -> bytes:
    """The archive; the same ledger state and `now` give the same bytes. Raises NotFoundError, and NotReadyError while
    an entry of the request waits for its position or its checkpoint."""
    request = queries.detail(request_id)
    # Asked before the entries are read: one that gets its position in between is then among them, not in neither.
    is_waiting = PendingEntry.objects.filter(request_id=request.pk).exists()
    entries = list(LedgerEntry.objects.filter(request_id=request.pk).order_by("index"))
    checkpoint = _checkpoint_over(entries, is_waiting=is_waiting)
    _refuse_moved_on(request, entries)
    attached = _current_evidence(request)
    shown = [entry for entry in entries if entry.kind == EntryKind.EVENT or entry.leaf_sha256 in attached]
    return bundle.write(
        BundleContents(
            request=str(request.pk),
            exported_at=(now or datetime.now(tz=UTC)).replace(microsecond=0),
            checkpoint=bytes(checkpoint.note),
            log_vkey=_vkey(bytes(checkpoint.note)),
            evidence_keys=_evidence_keys(attached),
            entries=tuple(_entry(entry, checkpoint) for entry in shown),
            evidence=tuple(
                AttachedEvidence(
                    target=str(attached[entry.leaf_sha256].target_id),
                    entry=entry.index,
                    envelope=bytes(attached[entry.leaf_sha256].envelope),
                )
                for entry in shown
                if entry.kind == EntryKind.EVIDENCE
            ),
            models=_manifests(request, attached),
            policy=None if request.policy is None else bytes(request.policy.content),
            openings=_openings(request),
        )
    )


def _checkpoint_over(entries: list[LedgerEntry], *, is_waiting: bool) -> SignedCheckpoint:
    checkpoint = checkpointer.latest()
    if is_waiting or not entries or checkpoint is None or checkpoint.size <= entries[-1].index:
        raise NotReadyError(
            "The newest entries of this request are not under a signed checkpoint yet. Try again in a few seconds; "
            "if this stays, `manage.py sequencer` is not running."
        )
    return checkpoint


def _refuse_moved_on(request: DeletionRequest, entries: list[LedgerEntry]) -> None:
    """Request and entries are read one after the other; a step between the two would not fit together."""
    events = [entry for entry in entries if entry.kind == EntryKind.EVENT]
    if events[-1].leaf_sha256 != request.chain_head:
        raise NotReadyError("The request moved on while it was read. Try again.")


def _current_evidence(request: DeletionRequest) -> dict[str, Evidence]:
    """By leaf hash, the evidence of each target's present job: a retry, or a new decision, leaves behind what failed."""
    rows = Evidence.objects.filter(target__request=request, target__state__in=JUDGED, target__job=F("job"))
    return {row.leaf_sha256: row for row in rows.select_related("job__before", "job__after").order_by("pk")}


def _entry(entry: LedgerEntry, checkpoint: SignedCheckpoint) -> Entry:
    path = tiles.inclusion_path(entry.index, checkpoint.size, read_tile)
    written = proof.write(entry.index, path, bytes(checkpoint.note), hint=bytes.fromhex(entry.leaf_sha256))
    return Entry(index=entry.index, kind=entry.kind, leaf=bytes(entry.leaf), proof=written)


def _vkey(note: bytes) -> str:
    """The published key that signed this checkpoint: after a rotation, the newest key need not be it."""
    for key in PublicKey.objects.filter(purpose=PublicKey.Purpose.CHECKPOINT).order_by("-published_at"):
        try:
            open_note(note, [key.text])
        except EvidenceError:
            continue
        return key.text
    raise NotReadyError("No published ledger key signed the newest checkpoint. Start `manage.py sequencer`.")


def _evidence_keys(attached: dict[str, Evidence]) -> tuple[bytes, ...]:
    wanted = {row.key_sha256 for row in attached.values()}
    keys = PublicKey.objects.filter(purpose=PublicKey.Purpose.EVIDENCE, key_sha256__in=wanted).order_by("key_sha256")
    return tuple(key.text.encode() for key in keys)


def _manifests(request: DeletionRequest, attached: dict[str, Evidence]) -> dict[str, bytes]:
    jobs = [row.job for row in attached.values()]
    versions = [version for job in jobs for version in (job.before, job.after) if version is not None]
    return {version.sha256: bytes(version.manifest) for version in versions}


def _openings(request: DeletionRequest) -> bytes:
    key = identities.commitment_key(request.vault)
    return Openings(key=key, request=payload(request), scope=request.scope).to_bytes()
