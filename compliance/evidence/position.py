"""Where an entry stands: the number of its log, and its index in that log."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """Positions compare as the entries follow one another: each log begins where the one before it ended."""

    log: int
    index: int

    def __str__(self) -> str:
        return f"{self.index} of log {self.log}"
