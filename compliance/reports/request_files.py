"""Everything that belongs to one request, read once: entries, evidence, manifests, policy, openings.

Both ways to hand it to an auditor start here: the bundle of one request, and the export of whole ledgers.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F

from compliance.evidence.commitment import Openings
from compliance.evidence.rekord import parse_hashedrekord
from compliance.ledger import checkpointer, tokens
from compliance.ledger.models import EntryKind, EvidenceTimestamp, LedgerEntry, PendingEntry
from compliance.requests import identities, queries
from compliance.requests.actions.submit import payload
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, Evidence, Summary
from compliance.requests.states import FULFILLED, TargetState

JUDGED = (TargetState.PASSED, TargetState.FAILED, TargetState.INCONCLUSIVE, TargetState.DEPLOYED)


@dataclass(frozen=True, kw_only=True)
class RequestFiles:
    """A request's entries in order (those of superseded evidence left out), and what they stand for."""

    request: DeletionRequest
    entries: tuple[LedgerEntry, ...]
    evidence: tuple[Evidence, ...]
    summaries: tuple[Summary, ...]
    timestamps: Mapping[str, tuple[bytes, ...]]
    models: Mapping[str, bytes]
    policy: bytes | None
    openings: bytes | None


def collect(request_id: uuid.UUID) -> RequestFiles:
    """Raises NotFoundError, and NotReadyError while an entry of the request waits for its position or its checkpoint,
    or a summary for its signature."""
    request = queries.detail(request_id)
    # Asked before the entries are read: one that gets its position in between is then among them, not in neither.
    is_waiting = PendingEntry.objects.filter(request_id=request.pk).exists()
    entries = list(LedgerEntry.objects.filter(request_id=request.pk).order_by("position"))
    _refuse_unsigned(entries, is_waiting=is_waiting)
    _refuse_moved_on(request, entries)
    evidence, summaries = _current_evidence(request), _summaries(request)
    rows: tuple[Evidence | Summary, ...] = (*evidence, *summaries)
    attached = {row.leaf_sha256 for row in rows}
    return RequestFiles(
        request=request,
        entries=tuple(entry for entry in entries if entry.kind == EntryKind.EVENT or entry.leaf_sha256 in attached),
        evidence=evidence,
        summaries=summaries,
        timestamps=_timestamps([entry for entry in entries if entry.leaf_sha256 in attached]),
        models=_manifests(evidence),
        policy=None if request.policy is None else bytes(request.policy.content),
        openings=_openings(request),
    )


def _refuse_unsigned(entries: list[LedgerEntry], *, is_waiting: bool) -> None:
    checkpoint = checkpointer.latest()
    if is_waiting or not entries or checkpoint is None or checkpoint.end <= entries[-1].position:
        raise NotReadyError(
            "The newest entries of this request are not under a signed checkpoint yet. Try again in a few seconds; "
            "if this stays, `manage.py sequencer` or `manage.py checkpointer` is not running."
        )


def _refuse_moved_on(request: DeletionRequest, entries: list[LedgerEntry]) -> None:
    """Request and entries are read one after the other; a step between the two would not fit together."""
    events = [entry for entry in entries if entry.kind == EntryKind.EVENT]
    if events[-1].leaf_sha256 != request.chain_head:
        raise NotReadyError("The request moved on while it was read. Try again.")


def _current_evidence(request: DeletionRequest) -> tuple[Evidence, ...]:
    """The evidence of each target's present job: a retry, or a new decision, leaves behind what failed."""
    rows = Evidence.objects.filter(target__request=request, target__state__in=JUDGED, target__job=F("job"))
    return tuple(rows.select_related("job__before", "job__after").order_by("pk"))


def _summaries(request: DeletionRequest) -> tuple[Summary, ...]:
    rows = tuple(Summary.objects.filter(target__request=request).order_by("pk"))
    n_due = request.targets.filter(state=TargetState.DEPLOYED).count() if request.state in FULFILLED else 0
    if len(rows) != n_due:
        raise NotReadyError("A worker is still signing the summaries of this request. Try again in a few seconds.")
    return rows


def _timestamps(entries: list[LedgerEntry]) -> dict[str, tuple[bytes, ...]]:
    """The tokens over the signatures of evidence that verify: a row that is none would refuse the whole bundle."""
    stored: dict[str, list[bytes]] = {}
    for row in EvidenceTimestamp.objects.filter(leaf_sha256__in=[entry.leaf_sha256 for entry in entries]).order_by(
        "pk"
    ):
        stored.setdefault(row.leaf_sha256, []).append(bytes(row.token))
    return {
        entry.leaf_sha256: tokens.that_verify(
            stored[entry.leaf_sha256], parse_hashedrekord(bytes(entry.leaf)).signature
        )
        for entry in entries
        if entry.leaf_sha256 in stored
    }


def _manifests(evidence: tuple[Evidence, ...]) -> dict[str, bytes]:
    versions = [version for row in evidence for version in (row.job.before, row.job.after) if version is not None]
    return {version.sha256: bytes(version.manifest) for version in versions}


def _openings(request: DeletionRequest) -> bytes | None:
    if request.vault.shredded_at is not None:
        return None
    key = identities.commitment_key(request.vault)
    return Openings(key=key, request=payload(request), scope=request.scope).to_bytes()
