"""Which evidence of a distrusted key nobody has to believe any more, because others have not attested that it is older."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.evidence import dsse
from compliance.evidence import leaf as leaves
from compliance.evidence.errors import EvidenceError
from compliance.evidence.trust import Trust
from compliance.evidence.witnessing import witnessing_of
from compliance.ledger import notes
from compliance.ledger.models import EntryKind, EvidenceTimestamp, LedgerEntry, PendingEntry, SignedCheckpoint
from compliance.ledger.trust_file import witness_policy_text


@dataclass(frozen=True)
class DoubtfulEvidence:
    """Evidence whose job has to be run again. Without a position it still waits for one."""

    request_id: uuid.UUID | None
    leaf_sha256: str
    position: int | None


def doubtful_evidence(key_sha256: str, since: datetime) -> Iterator[DoubtfulEvidence]:
    """What this key signed, less what has a time stamp from before and lies under a head that was witnessed before.

    A time stamp alone does not do: whoever has the key could have signed, and had stamped, long ago and shown it now.
    """
    witnessed_end = _witnessed_end(since)
    evidence = LedgerEntry.objects.filter(kind=EntryKind.EVIDENCE).order_by("position")
    for entry in evidence.iterator():
        if _signer(bytes(entry.leaf)) == key_sha256 and not (
            entry.position < witnessed_end and _is_stamped_before(entry.leaf_sha256, since)
        ):
            yield DoubtfulEvidence(entry.request_id, entry.leaf_sha256, entry.position)
    for waiting in PendingEntry.objects.filter(kind=EntryKind.EVIDENCE).order_by("pk").iterator():
        if _signer(bytes(waiting.leaf)) == key_sha256:
            yield DoubtfulEvidence(waiting.request_id, waiting.leaf_sha256, None)


def _signer(leaf: bytes) -> str:
    return dsse.public_key_sha256(leaves.parse_hashedrekord(leaf).public_key)


def _is_stamped_before(leaf_sha256: str, since: datetime) -> bool:
    return EvidenceTimestamp.objects.filter(leaf_sha256=leaf_sha256, stamped_at__lt=since).exists()


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
