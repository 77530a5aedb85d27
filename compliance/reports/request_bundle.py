"""One request as an auditor gets it: entries with proofs, evidence, manifests, policy, keys and openings in a ZIP.

Only rows are read here; every proof is made from stored tiles and leads to one signed checkpoint of its log.

Next: compliance/evidence/verify.py
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from compliance.evidence import bundle, consistency, proof, tiles
from compliance.evidence.bundle import BundleContents, BundledLog, Entry
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.ledger import logs
from compliance.ledger.models import LedgerEntry, PublicKey
from compliance.reports.heads import Head, head_over, heads_of, position_of
from compliance.reports.request_files import RequestFiles, collect
from compliance.requests.models import Evidence, Summary


def export(request_id: uuid.UUID, *, now: datetime | None = None) -> bytes:
    """The archive; the same ledger state and `now` give the same bytes. Raises what `collect` raises."""
    files = collect(request_id)
    heads = _heads(files.entries)
    placed = {entry.leaf_sha256: position_of(entry, heads) for entry in files.entries}
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
            challenges=_challenges(files.evidence, heads),
            models=files.models,
            policy=files.policy,
            openings=files.openings,
        )
    )


def _heads(entries: Sequence[LedgerEntry]) -> list[Head]:
    """The heads of the logs from the first to the last that holds one of the entries."""
    first, last = logs.holding(entries[0].position), logs.holding(entries[-1].position)
    return heads_of(first.number, last.number, entries[-1].position)


def _log(head: Head) -> BundledLog:
    return BundledLog(number=head.checkpoint.log_id, vkey=head.vkey, checkpoint=head.note)


def _entries(shown: Sequence[LedgerEntry], heads: Sequence[Head]) -> tuple[Entry, ...]:
    """The request's entries, and the first one of each log but number 1, in the order of the ledger."""
    later = [head.checkpoint.log for head in heads if head.checkpoint.log_id > 1]
    openings = LedgerEntry.objects.filter(position__in=[log.first_position for log in later])
    kinds = {entry.position: entry.kind for entry in shown} | {entry.position: "log" for entry in openings}
    rows = sorted([*shown, *openings], key=lambda entry: entry.position)
    return tuple(_entry(row, kinds[row.position], heads) for row in rows)


def _entry(entry: LedgerEntry, kind: str, heads: Sequence[Head]) -> Entry:
    head, position = head_over(entry, heads), position_of(entry, heads)
    path = tiles.inclusion_path(position.index, head.checkpoint.size, logs.reader(head.checkpoint.log))
    written = proof.write(position.index, path, head.note, hint=bytes.fromhex(entry.leaf_sha256))
    return Entry(position=position, kind=kind, leaf=bytes(entry.leaf), proof=written)


def _challenges(evidence: Sequence[Evidence], heads: Sequence[Head]) -> dict[tuple[int, int], bytes]:
    """What proves that the logs had the roots which the statements name."""
    named = {(row.job.challenge_log or 0, row.job.challenge_size or 0) for row in evidence}
    by_log = {head.checkpoint.log_id: head for head in heads}
    return {(log, size): _grown(by_log[log], size) for log, size in sorted(named)}


def _grown(head: Head, size: int) -> bytes:
    path = consistency.path_between(size, head.checkpoint.size, logs.reader(head.checkpoint.log))
    return consistency.write(size, path, head.note)


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
