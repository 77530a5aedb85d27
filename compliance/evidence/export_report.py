"""What the verification of an export found, for people and for programs."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.conclusions import counted
from compliance.evidence.report import LEFT_TO_CALLER, LogShown, Step

_TITLES = (
    "The export is complete",
    "The checkpoints are signed by the ledger keys",
    "Every entry and tile is the one signed",
    "Each log begins with the end of the one before",
    "The trust file knows what became of the keys",
    "Every entry is allowed, every chain unbroken",
    "The disclosed requests hold",
)


@dataclass(frozen=True)
class RequestLine:
    """One request: its state, and how much of it was there to check."""

    request: str
    state: str
    n_entries: int
    n_signatures: int
    is_disclosed: bool


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """A verified export. `is_pinned` tells whether the caller brought the trust file."""

    exported_at: datetime
    logs: tuple[LogShown, ...]
    n_entries: int
    n_evidence: int
    requests: tuple[RequestLine, ...]
    is_pinned: bool
    left_to_caller: tuple[str, ...] = LEFT_TO_CALLER

    @property
    def is_witnessed(self) -> bool:
        """Whether every checkpoint has the cosignatures that the trust file asks for."""
        return all(log.is_witnessed for log in self.logs)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps and what each looked at."""
        disclosed = [line for line in self.requests if line.is_disclosed]
        n_shown = sum(line.n_signatures for line in disclosed)
        details = (
            f"{counted(len(self.logs), 'log')}, {counted(len(disclosed), 'request')} disclosed",
            "; ".join(f"{log.origin}, {log.size} entries, {_seen(log)}" for log in self.logs),
            f"{self.n_entries} leaf hashes, {counted(len(self.logs), 'root')}",
            "one log, nothing before it" if len(self.logs) == 1 else counted(len(self.logs) - 1, "succession"),
            "nothing said that the trust file does not say",
            f"{counted(len(self.requests), 'request')}: {self.states}",
            f"{n_shown} of {counted(self.n_evidence, 'signed statement')} shown and verified",
        )
        numbered = enumerate(zip(_TITLES, details, strict=True), start=1)
        return tuple(Step(number, title, detail) for number, (title, detail) in numbered)

    @property
    def states(self) -> str:
        """How many requests are in which state."""
        counts = Counter(line.state.partition(" (")[0] for line in self.requests)
        return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        value = asdict(self)
        value["exported_at"] = canonical.format_time(self.exported_at)
        return {**value, "is_witnessed": self.is_witnessed, "steps": [asdict(step) for step in self.steps]}


def _seen(log: LogShown) -> str:
    return f"cosigned by {', '.join(log.witnesses)}" if log.is_witnessed else "UNWITNESSED"
