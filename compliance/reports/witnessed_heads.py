"""Older heads that an export carries: what shows that evidence was signed before its key was distrusted.

The newest head is cosigned too late for that. For each key that is distrusted, and each log, the newest head that
witnesses saw before then covers every entry that can still count.
"""

from datetime import datetime

from compliance.evidence import witnessing
from compliance.evidence.errors import UnwitnessedError
from compliance.evidence.trust import Trust
from compliance.ledger import notes
from compliance.ledger.models import Cosignature, SignedCheckpoint
from compliance.reports.heads import Head


def witnessed_before_distrust(head: Head, trust: Trust) -> list[SignedCheckpoint]:
    """Heads of this log smaller than the one shown, in ascending order; none unless witnesses are asked for and an
    evidence key is distrusted."""
    if trust.witness_policy_text is None:
        return []
    moments = {key.distrusted_from for key in trust.evidence_keys if key.distrusted_from is not None}
    found = {_newest_before(moment, head, trust) for moment in moments}
    older = (each for each in found if each is not None and each.size < head.checkpoint.size)
    return sorted(older, key=lambda each: each.size)


def _newest_before(moment: datetime, head: Head, trust: Trust) -> SignedCheckpoint | None:
    """The newest head that had its quorum before a moment; the one shown itself where that had."""
    seen = Cosignature.objects.filter(checkpoint__log=head.checkpoint.log, cosigned_at__lt=moment)
    ends = seen.filter(checkpoint_id__lte=head.checkpoint.end).values_list("checkpoint_id", flat=True)
    for end in ends.order_by("-checkpoint_id").distinct().iterator(chunk_size=100):
        checkpoint = SignedCheckpoint.objects.get(pk=end)
        if _has_quorum_before(moment, notes.cosigned(checkpoint), trust):
            return checkpoint
    return None


def _has_quorum_before(moment: datetime, note: bytes, trust: Trust) -> bool:
    try:
        quorum_at = witnessing.witnessing_of(note, trust).quorum_at
    except UnwitnessedError:
        return False
    return quorum_at is not None and quorum_at < moment
