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
    "Decisions and runs fit the models registered",
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
    """A verified export. `is_pinned` tells whether the caller brought the trust file, and `is_own_trust_pinned` whether
    the one in the export says the same.

    `unstamped` are the logs without a time stamp although an authority is trusted; `overtaken` the requests whose scope
    leaves out a model that was registered while the decision was made.
    """

    exported_at: datetime
    logs: tuple[LogShown, ...]
    n_entries: int
    n_evidence: int
    n_earlier_heads: int
    n_models: int
    n_runs: int
    requests: tuple[RequestLine, ...]
    overtaken: tuple[str, ...]
    unstamped: tuple[str, ...]
    is_pinned: bool
    is_own_trust_pinned: bool
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
            "; ".join(f"{log.origin}, {log.size} entries, {self._seen(log)}" for log in self.logs),
            f"{self.n_entries} leaf hashes, {counted(len(self.logs), 'root')}{self._earlier}",
            "log 1 alone, nothing before it" if len(self.logs) == 1 else f"from log 1 to log {len(self.logs)}",
            f"nothing said that the trust file does not say; {self._own_trust}",
            f"{counted(len(self.requests), 'request')}: {self.states}",
            f"{n_shown} of {counted(self.n_evidence, 'signed statement')} shown and verified",
            f"{counted(self.n_models, 'model')}, {counted(self.n_runs, 'run')}{self._crossed}",
        )
        numbered = enumerate(zip(_TITLES, details, strict=True), start=1)
        return tuple(Step(number, title, detail) for number, (title, detail) in numbered)

    @property
    def states(self) -> str:
        """How many requests are in which state."""
        counts = Counter(line.state.partition(" (")[0] for line in self.requests)
        return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"

    @property
    def _earlier(self) -> str:
        return f", {counted(self.n_earlier_heads, 'older head')}" if self.n_earlier_heads else ""

    @property
    def _own_trust(self) -> str:
        """What the trust file in the export is worth beside the one that the caller brought."""
        if not self.is_pinned:
            return "it is the export's own"
        if self.is_own_trust_pinned:
            return "the export's own says the same as yours"
        return "THE EXPORT'S OWN SAYS SOMETHING ELSE THAN YOURS: ask for the present one on another way"

    @property
    def _crossed(self) -> str:
        n_overtaken = len(self.overtaken)
        return f"; {n_overtaken} decided while a model was being registered, without it" if n_overtaken else ""

    def _seen(self, log: LogShown) -> str:
        seen = f"cosigned by {', '.join(log.witnesses)}" if log.is_witnessed else "UNWITNESSED"
        return f"{seen}, WITHOUT A TIME STAMP" if log.origin in self.unstamped else seen

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        value = asdict(self)
        value["exported_at"] = canonical.format_time(self.exported_at)
        return {**value, "is_witnessed": self.is_witnessed, "steps": [asdict(step) for step in self.steps]}
