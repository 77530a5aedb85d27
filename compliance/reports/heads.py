"""The signed heads that an export stands under, each read once: more witnesses may cosign one meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from compliance.evidence.errors import TrustFileError
from compliance.evidence.position import Position
from compliance.ledger import logs, notes, witnesses
from compliance.ledger.models import Cosignature, LedgerEntry, Log, SignedCheckpoint
from compliance.requests.errors import NotReadyError


@dataclass(frozen=True)
class Head:
    """A checkpoint as it goes out: its note with the cosignatures so far, and the key that signed it."""

    checkpoint: SignedCheckpoint
    note: bytes
    vkey: str


def heads_of(first: int, last: int, covered: int) -> list[Head]:
    """A head of each log with these numbers, the last one over the entry at the position `covered` at least (-1: any).

    Earlier logs are shown to their end, the last one as witnesses have seen it: its newest head with their quorum, or
    the newest of all where none has it. Raises NotReadyError where a head is missing, or ends too early.
    """
    heads = []
    for log in Log.objects.filter(number__range=(first, last)).order_by("number"):
        checkpoint = logs.last_checkpoint(log)
        if checkpoint is None or (log.number < last and checkpoint.size != log.size):
            raise NotReadyError(f"The log {log.origin} is not signed to its end. Try again in a few seconds.")
        if log.number == last:
            checkpoint = _newest_witnessed(log, covered) or checkpoint
        heads.append(Head(checkpoint, notes.cosigned(checkpoint), notes.vkey_of(bytes(checkpoint.note))))
    return heads


def _newest_witnessed(log: Log, covered: int) -> SignedCheckpoint | None:
    """None where no policy asks for witnesses, or not enough of them have seen a head of the log that is long enough."""
    try:
        policy = witnesses.policy()
    except TrustFileError:
        return None
    if policy is None or policy.quorum is None:
        return None
    seen = Cosignature.objects.filter(checkpoint=OuterRef("pk"))
    heads = SignedCheckpoint.objects.filter(Exists(seen), log=log, end__gt=covered).select_related("log")
    for head in heads.order_by("-end").iterator(chunk_size=50):
        if policy.missing(witnesses.verified_lines(head, policy)) is None:
            return head
    return None


def head_over(entry: LedgerEntry, heads: Sequence[Head]) -> Head:
    """The head of the log that holds an entry."""
    return next(head for head in reversed(heads) if head.checkpoint.log.first_position <= entry.position)


def position_of(entry: LedgerEntry, heads: Sequence[Head]) -> Position:
    """Log and index of an entry."""
    log = head_over(entry, heads).checkpoint.log
    return Position(log.number, entry.position - log.first_position)
