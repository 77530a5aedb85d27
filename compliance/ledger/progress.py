"""How far each entry has come: received → positioned → checkpointed → witnessed → timestamped.

Each step is one for whole logs: what is under a witnessed checkpoint of its log is witnessed. Without a witness policy
nothing is called witnessed, and that is said; a time stamp can follow all the same.
"""

from dataclasses import dataclass
from enum import StrEnum

from compliance.evidence.errors import TrustFileError
from compliance.evidence.witness_policy import WitnessPolicy
from compliance.ledger import hold, logs, tokens, witnesses
from compliance.ledger.models import Log, SignedCheckpoint

# The newest heads are the likeliest to be witnessed; older ones than these are not looked at.
_N_HEADS = 20


class EntryState(StrEnum):
    """The furthest step that an entry has taken."""

    RECEIVED = "received"
    POSITIONED = "positioned"
    CHECKPOINTED = "checkpointed"
    WITNESSED = "witnessed"
    TIMESTAMPED = "timestamped"


class Witnessing(StrEnum):
    """What there is to say about witnesses as a whole."""

    NO_POLICY = "no_policy"
    BROKEN_POLICY = "broken_policy"
    UNWITNESSED = "unwitnessed"
    BEHIND = "behind"
    COMPLETE = "complete"


@dataclass(frozen=True)
class LogProgress:
    """The positions in one log before which every entry is under such a checkpoint; 0 for none yet."""

    first_position: int
    checkpointed_end: int
    witnessed_end: int
    timestamped_end: int


@dataclass(frozen=True)
class Progress:
    """The logs from the newest one back, and what there is to say about witnesses.

    `held` is the reason why no entry is given a position at the moment, empty where none is.
    """

    logs: tuple[LogProgress, ...]
    witnessing: Witnessing
    held: str = ""

    def state_of(self, position: int | None) -> EntryState:
        """The state of the entry at a position; None stands for one that waits for its position."""
        if position is None:
            return EntryState.RECEIVED
        log = next((log for log in self.logs if log.first_position <= position), None)
        if log is None or position >= log.checkpointed_end:
            return EntryState.POSITIONED
        is_witnessed = position < log.witnessed_end
        if not is_witnessed and self.witnessing is not Witnessing.NO_POLICY:
            return EntryState.CHECKPOINTED
        if position < log.timestamped_end:
            return EntryState.TIMESTAMPED
        return EntryState.WITNESSED if is_witnessed else EntryState.CHECKPOINTED


def progress(since: int = 0) -> Progress:
    """How far the entries from position `since` on are; a log that ended before it is not looked at."""
    try:
        policy, is_broken = witnesses.policy(), False
    except TrustFileError:
        policy, is_broken = None, True
    found = tuple(_of_log(log, policy) for log in Log.objects.order_by("-number") if log.end > since)
    held = hold.current()
    witnessing = Witnessing.BROKEN_POLICY if is_broken else _witnessing(found, policy)
    return Progress(found, witnessing, "" if held is None else held.reason)


def _witnessing(found: tuple[LogProgress, ...], policy: WitnessPolicy | None) -> Witnessing:
    if policy is None or policy.quorum is None:
        return Witnessing.NO_POLICY
    if not found or not found[0].witnessed_end:
        return Witnessing.UNWITNESSED
    return Witnessing.COMPLETE if found[0].witnessed_end >= found[0].checkpointed_end else Witnessing.BEHIND


def _of_log(log: Log, policy: WitnessPolicy | None) -> LogProgress:
    last = logs.last_checkpoint(log)
    return LogProgress(
        first_position=log.first_position,
        checkpointed_end=0 if last is None else last.end,
        witnessed_end=0 if policy is None or policy.quorum is None else _witnessed_end(log, policy),
        timestamped_end=_timestamped_end(log),
    )


def _witnessed_end(log: Log, policy: WitnessPolicy) -> int:
    heads = log.checkpoints.exclude(cosignatures=None).order_by("-end").distinct()
    return next((head.end for head in heads[:_N_HEADS] if _meets(head, policy)), 0)


def _meets(head: SignedCheckpoint, policy: WitnessPolicy) -> bool:
    """Whether enough cosignatures verify under the policy as it is now: a row alone says nothing."""
    return policy.missing(witnesses.verified_lines(head, policy)) is None


def _timestamped_end(log: Log) -> int:
    heads = log.checkpoints.exclude(timestamps=None).order_by("-end").distinct()
    return next((head.end for head in heads[:_N_HEADS] if tokens.of_checkpoint(head) is not None), 0)
