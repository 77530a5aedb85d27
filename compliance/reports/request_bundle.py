"""One request as an auditor gets it: entries with proofs, evidence, manifests, policy, keys and openings in a ZIP.

Only rows are read here; every proof is made from stored tiles and leads to one signed checkpoint of its log.

Next: compliance/evidence/verify.py
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from compliance.evidence import bundle, proof, tiles
from compliance.evidence.bundle import BundleContents, BundledLog, Entry
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.ledger import logs, notes
from compliance.ledger.models import LedgerEntry, Log, PublicKey, SignedCheckpoint
from compliance.reports.request_files import RequestFiles, collect
from compliance.requests.errors import NotReadyError
from compliance.requests.models import Evidence, Summary


def export(request_id: uuid.UUID, *, now: datetime | None = None) -> bytes:
    """The archive; the same ledger state and `now` give the same bytes. Raises what `collect` raises."""
    files = collect(request_id)
    heads = _heads(files.entries)
    placed = {entry.leaf_sha256: _position(entry, heads) for entry in files.entries}
    attached: tuple[Evidence | Summary, ...] = (*files.evidence, *files.summaries)
    return bundle.write(
        BundleContents(
            request=str(files.request.pk),
            exported_at=(now or datetime.now(tz=UTC)).replace(microsecond=0),
            logs=tuple(_log(head) for head in heads),
            evidence_keys=_evidence_keys({row.key_sha256 for row in attached}),
            entries=_entries(files.entries, heads),
            evidence=tuple(_attached(row, placed, files) for row in files.evidence),
            closings=tuple(_attached(row, placed, files) for row in files.summaries),
            models=files.models,
            policy=files.policy,
            openings=files.openings,
        )
    )


def _heads(entries: Sequence[LedgerEntry]) -> list[SignedCheckpoint]:
    """The newest checkpoint of each log from the first to the last that holds one of the entries."""
    first, last = logs.holding(entries[0].position), logs.holding(entries[-1].position)
    heads = []
    for log in Log.objects.filter(number__gte=first.number, number__lte=last.number).order_by("number"):
        head = logs.last_checkpoint(log)
        if head is None or (log.number < last.number and head.size != log.size):
            raise NotReadyError(f"The log {log.origin} is not signed to its end. Try again in a few seconds.")
        heads.append(head)
    return heads


def _head_of(position: int, heads: Sequence[SignedCheckpoint]) -> SignedCheckpoint:
    return next(head for head in reversed(heads) if head.log.first_position <= position)


def _position(entry: LedgerEntry, heads: Sequence[SignedCheckpoint]) -> Position:
    log = _head_of(entry.position, heads).log
    return Position(log.number, entry.position - log.first_position)


def _log(head: SignedCheckpoint) -> BundledLog:
    return BundledLog(number=head.log_id, vkey=notes.vkey_of(bytes(head.note)), checkpoint=notes.cosigned(head))


def _entries(shown: Sequence[LedgerEntry], heads: Sequence[SignedCheckpoint]) -> tuple[Entry, ...]:
    """The request's entries, and the first one of each log but number 1, in the order of the ledger."""
    openings = LedgerEntry.objects.filter(position__in=[head.log.first_position for head in heads if head.log_id > 1])
    kinds = {entry.position: entry.kind for entry in shown} | {entry.position: "log" for entry in openings}
    noted = {head.log_id: notes.cosigned(head) for head in heads}
    rows = sorted([*shown, *openings], key=lambda entry: entry.position)
    return tuple(_entry(row, kinds[row.position], _head_of(row.position, heads), noted) for row in rows)


def _entry(entry: LedgerEntry, kind: str, head: SignedCheckpoint, noted: Mapping[int, bytes]) -> Entry:
    index = entry.position - head.log.first_position
    path = tiles.inclusion_path(index, head.size, logs.reader(head.log))
    written = proof.write(index, path, noted[head.log_id], hint=bytes.fromhex(entry.leaf_sha256))
    return Entry(position=Position(head.log_id, index), kind=kind, leaf=bytes(entry.leaf), proof=written)


def _attached(row: Evidence | Summary, placed: Mapping[str, Position], files: RequestFiles) -> AttachedEvidence:
    return AttachedEvidence(
        target=str(row.target_id),
        position=placed[row.leaf_sha256],
        envelope=bytes(row.envelope),
        timestamps=files.timestamps.get(row.leaf_sha256, ()),
    )


def _evidence_keys(wanted: set[str]) -> tuple[bytes, ...]:
    keys = PublicKey.objects.filter(purpose=PublicKey.Purpose.EVIDENCE, key_sha256__in=wanted).order_by("key_sha256")
    return tuple(key.text.encode() for key in keys)
