"""A ledger held in memory: logs that follow one another, each signed with one key and cosigned by real witnesses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, cosignature, leaf, proof, tiles
from compliance.evidence.bundle import BundledLog, Entry
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.position import Position

ORIGIN = "ledger.example/test"
SEQUENCER = "00000000-0000-4000-8000-000000000009"
YEAR_TURNS_AT = datetime(2027, 1, 1, 0, 0, 0, tzinfo=UTC)
COSIGNED_AT = datetime(2026, 5, 2, 9, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Cosigner:
    """A witness that cosigns whatever it is given."""

    name: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    at: datetime = COSIGNED_AT

    @property
    def vkey(self) -> str:
        return cosignature.vkey(self.name, self.key.public_key())

    def cosigned(self, note: bytes) -> bytes:
        """The note with one more line."""
        return note + cosignature.cosign(note, self.name, self.key, self.at)


class GrowingLog:
    """One log: its leaves, and the tiles over them."""

    def __init__(self, number: int, origin: str, key: Ed25519PrivateKey) -> None:
        self.number, self.origin, self.key = number, origin, key
        self.leaves: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}

    def append(self, entries: Sequence[bytes]) -> None:
        self.tiles |= tiles.append(len(self.leaves), [leaf_hash(entry) for entry in entries], self.read_tile)
        self.leaves += entries

    def read_tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    @property
    def vkey(self) -> str:
        return checkpoint.vkey(self.origin, self.key.public_key())

    def head(self, size: int | None = None) -> checkpoint.Checkpoint:
        """The head at a size, the whole when none is given."""
        size = len(self.leaves) if size is None else size
        return checkpoint.Checkpoint(self.origin, size, tiles.root(size, self.read_tile))

    def note(self, cosigners: Sequence[Cosigner] = (), size: int | None = None) -> bytes:
        """The signed head, with its cosignatures."""
        note = checkpoint.sign(self.head(size), self.origin, self.key)
        for cosigner in cosigners:
            note = cosigner.cosigned(note)
        return note

    def entry(self, index: int, kind: str, note: bytes) -> Entry:
        """An entry with the proof that leads to the head of the whole log."""
        path = tiles.inclusion_path(index, len(self.leaves), self.read_tile)
        written = proof.write(index, path, note, hint=leaf_hash(self.leaves[index]))
        return Entry(position=Position(self.number, index), kind=kind, leaf=self.leaves[index], proof=written)


class Ledger:
    """Logs by number. `cosigners` sign every head that is shown."""

    def __init__(self, key: Ed25519PrivateKey, cosigners: Sequence[Cosigner] = (), n_others: int = 0) -> None:
        self.key, self.cosigners = key, tuple(cosigners)
        self.logs = {1: GrowingLog(1, ORIGIN, key)}
        self.last.append([b"somebody else's entry %d" % number for number in range(n_others)])

    @property
    def last(self) -> GrowingLog:
        return self.logs[max(self.logs)]

    def append(self, entry: bytes) -> Position:
        self.last.append([entry])
        return Position(self.last.number, len(self.last.leaves) - 1)

    def opening(self) -> Event:
        """The first event of the log that would come next."""
        head = self.last.head()
        return Event(
            type="log.opened",
            request=None,
            previous=None,
            at=YEAR_TURNS_AT,
            actor_role="system",
            actor_id=SEQUENCER,
            facts={
                "log": self.last.number + 1,
                "previous_size": head.size,
                "previous_root_sha256": head.root.hex(),
            },
        )

    def open_next(self, opening: bytes | None = None) -> None:
        """A new log follows the last one; another first entry than the genuine one can be given."""
        first = leaf.build(self.opening()) if opening is None else opening
        number = self.last.number + 1
        self.logs[number] = GrowingLog(number, f"{ORIGIN}-{number}", self.key)
        self.append(first)

    def notes(self) -> dict[int, bytes]:
        """The head of each log as it is shown."""
        return {number: log.note(self.cosigners) for number, log in self.logs.items()}

    def leaf(self, position: Position) -> bytes:
        return self.logs[position.log].leaves[position.index]

    def shown(self, kinds: dict[Position, str]) -> tuple[tuple[BundledLog, ...], tuple[Entry, ...]]:
        """The logs from the first to the last of these positions, and the entries with the first one of each log."""
        first, last = min(kinds).log, max(kinds).log
        kinds = kinds | {Position(number, 0): "log" for number in range(max(first, 2), last + 1)}
        notes = self.notes()
        logs = tuple(
            BundledLog(number=number, vkey=self.logs[number].vkey, checkpoint=notes[number])
            for number in range(first, last + 1)
        )
        entries = (self.logs[at.log].entry(at.index, kinds[at], notes[at.log]) for at in sorted(kinds))
        return logs, tuple(entries)
