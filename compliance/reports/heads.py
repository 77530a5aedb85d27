"""The signed heads that an export stands under, each read once: more witnesses may cosign one meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.evidence.position import Position
from compliance.ledger import logs, notes
from compliance.ledger.models import LedgerEntry, Log, SignedCheckpoint
from compliance.requests.errors import NotReadyError


@dataclass(frozen=True)
class Head:
    """A checkpoint as it goes out: its note with the cosignatures so far, and the key that signed it."""

    checkpoint: SignedCheckpoint
    note: bytes
    vkey: str


def heads_of(first: int, last: int) -> list[Head]:
    """The newest head of each log with these numbers; raises NotReadyError where one is missing, or ends too early."""
    heads = []
    for log in Log.objects.filter(number__range=(first, last)).order_by("number"):
        checkpoint = logs.last_checkpoint(log)
        if checkpoint is None or (log.number < last and checkpoint.size != log.size):
            raise NotReadyError(f"The log {log.origin} is not signed to its end. Try again in a few seconds.")
        heads.append(Head(checkpoint, notes.cosigned(checkpoint), notes.vkey_of(bytes(checkpoint.note))))
    return heads


def head_over(entry: LedgerEntry, heads: Sequence[Head]) -> Head:
    """The head of the log that holds an entry."""
    return next(head for head in reversed(heads) if head.checkpoint.log.first_position <= entry.position)


def position_of(entry: LedgerEntry, heads: Sequence[Head]) -> Position:
    """Log and index of an entry."""
    log = head_over(entry, heads).checkpoint.log
    return Position(log.number, entry.position - log.first_position)
