"""Which evidence of a distrusted key nobody has to believe any more, because others have not attested that it is older."""

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.evidence.errors import EvidenceError, LeafError
from compliance.evidence.rekord import HashedRekord, parse_hashedrekord
from compliance.evidence.trust import Trust
from compliance.evidence.witnessing import witnessing_of
from compliance.ledger import notes, tokens
from compliance.ledger.models import EntryKind, EvidenceTimestamp, LedgerEntry, PendingEntry, SignedCheckpoint
from compliance.ledger.trust_file import timestamp_authorities, witness_policy_text

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DoubtfulEvidence:
    """Evidence whose job has to be run again. Without a position it still waits for one."""

    request_id: uuid.UUID | None
    leaf_sha256: str
    position: int | None


def doubtful_evidence(key_sha256: str, since: datetime) -> Iterator[DoubtfulEvidence]:
    """What this key signed, less what has a time stamp from before and lies under a head that was witnessed before.

    A time stamp alone does not do: whoever has the key could have signed, and had stamped, long ago and shown it now.
    An entry that should be evidence and cannot be read was signed by nobody: it is left out, and logged as an error.
    Raises TrustFileError for a witness policy or certificates that cannot be read.
    """
    witnessed_end, authorities = _witnessed_end(since), timestamp_authorities()
    evidence = LedgerEntry.objects.filter(kind=EntryKind.EVIDENCE).order_by("position")
    for entry in evidence.iterator():
        signed = _read(bytes(entry.leaf), entry.position)
        if signed is None or signed.key_sha256 != key_sha256:
            continue
        is_stamped = any(at < since for at in _stamps(entry.leaf_sha256, signed.signature, authorities))
        if not is_stamped or entry.position >= witnessed_end:
            yield DoubtfulEvidence(entry.request_id, entry.leaf_sha256, entry.position)
    for waiting in PendingEntry.objects.filter(kind=EntryKind.EVIDENCE).order_by("pk").iterator():
        signed = _read(bytes(waiting.leaf), None)
        if signed is not None and signed.key_sha256 == key_sha256:
            yield DoubtfulEvidence(waiting.request_id, waiting.leaf_sha256, None)


def _read(leaf: bytes, position: int | None) -> HashedRekord | None:
    try:
        return parse_hashedrekord(leaf)
    except LeafError:
        place = "that waits for its position" if position is None else position
        _logger.error("Entry %s should be signed evidence and is not.", place)
        return None


def _stamps(leaf_sha256: str, signature: bytes, authorities: tokens.Authorities) -> Iterator[datetime]:
    """The times in the stored tokens that verify; the row of a token says nothing by itself."""
    for token in EvidenceTimestamp.objects.filter(leaf_sha256=leaf_sha256).values_list("token", flat=True):
        stamped_at = tokens.verified_at(bytes(token), signature, authorities)
        if stamped_at is not None:
            yield stamped_at


def _witnessed_end(since: datetime) -> int:
    """The position up to which the ledger was cosigned before, as the policy asks; 0 without a policy.

    Every log begins with the head of the one before it, so a witnessed head covers the earlier logs as well.
    """
    policy = witness_policy_text()
    if policy is None:
        return 0
    trust = Trust(issued_at=datetime.now(tz=UTC), log_vkeys=(), evidence_keys=(), witness_policy_text=policy)
    seen = SignedCheckpoint.objects.filter(cosignatures__cosigned_at__lt=since).distinct().order_by("-end")
    return next((head.end for head in seen.iterator() if _is_witnessed_before(head, trust, since)), 0)


def _is_witnessed_before(head: SignedCheckpoint, trust: Trust, since: datetime) -> bool:
    try:
        quorum_at = witnessing_of(notes.cosigned(head), trust).quorum_at
    except EvidenceError:
        return False
    return quorum_at is not None and quorum_at < since
