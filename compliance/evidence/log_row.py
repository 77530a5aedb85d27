"""The row of logs in an export: none left out at its beginning, in between, or of those that the trust file names."""

from collections.abc import Iterable, Mapping

from compliance.evidence import membership
from compliance.evidence.checkpoint import Checkpoint, parse_vkey
from compliance.evidence.errors import LogSuccessionError
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position
from compliance.evidence.trust import Trust
from compliance.evidence.whole_log import WholeLog


def refuse_incomplete(heads: Mapping[int, Checkpoint], trust: Trust) -> None:
    """Raises LogSuccessionError unless the logs begin with number 1, each under a name of its own, and are all that the
    trust file names."""
    if min(heads) != 1:
        raise LogSuccessionError(f"The export begins with log {min(heads)}; expected every log from number 1 on.")
    origins = [head.origin for head in heads.values()]
    if len(set(origins)) != len(origins):
        raise LogSuccessionError(f"Two logs of the export have one origin: {', '.join(origins)}.")
    left_out = sorted({parse_vkey(vkey).name for vkey in trust.log_vkeys} - set(origins))
    if left_out:
        raise LogSuccessionError(
            f"Your trust file names the log {left_out[0]}, which the export leaves out. If the log is younger than the "
            "export, use the trust file of that time."
        )


def refuse_broken(logs: Mapping[int, WholeLog]) -> None:
    """Raises LogSuccessionError unless each log but number 1 begins with the head that the log before it ends with."""
    for number, log in logs.items():
        if number > 1:
            before = logs.get(number - 1)
            membership.refuse_other_predecessor(number, _first(log), None if before is None else before.head)


def refuse_misplaced_openings(others: Iterable[tuple[Position, Event]]) -> None:
    """Raises LogSuccessionError for log.opened anywhere but at the beginning of a log that another one precedes."""
    for position, event in others:
        if event.type == "log.opened" and (position.index != 0 or position.log == 1):
            raise LogSuccessionError(
                f"Entry {position} opens log {event.facts['log']}; only the first entry of a log after number 1 does that."
            )


def _first(log: WholeLog) -> bytes:
    if not log.leaves:
        raise LogSuccessionError(f"Log {log.number} is empty; expected log.opened as its first entry.")
    return log.leaves[0]
