"""One request as its entries and files tell it, when every entry was already found in a log.

Bundles of one request and exports of whole logs prove entries in different ways; from here on they are the same.
"""

from dataclasses import dataclass
from typing import NamedTuple

from compliance.evidence.position import Position


class Logged(NamedTuple):
    """An entry that is in its log: "event" or "evidence", its leaf and leaf hash (hex)."""

    position: Position
    kind: str
    leaf: bytes
    sha256: str


@dataclass(frozen=True, kw_only=True)
class AttachedEvidence:
    """A signed envelope, the target it is about, the position of its entry, and RFC 3161 tokens over its signature."""

    target: str
    position: Position
    envelope: bytes
    timestamps: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    """A request's entries in the order of the ledger, and what belongs to them.

    `evidence` holds the result of each target's job, `closings` the summary of each target once the request is
    completed. `openings` is None once they are shredded.
    """

    request: str
    entries: tuple[Logged, ...]
    evidence: tuple[AttachedEvidence, ...] = ()
    closings: tuple[AttachedEvidence, ...] = ()
    policy: bytes | None = None
    openings: bytes | None = None
