"""What must be true of the ledger after whatever happened to its processes, counted from the rows and files alone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Damage:
    """How often each promise was broken; all zero is the only good result."""

    n_entries: int = 0
    n_acknowledged: int = 0
    n_checkpoints: int = 0
    gaps: int = 0
    duplicates: int = 0
    lost: int = 0
    forks: int = 0
    sentences: list[str] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        """Whether every promise held."""
        return not (self.gaps or self.duplicates or self.lost or self.forks or self.sentences)


def audit(acknowledged: Iterable[Path], log_folder: Path) -> Damage:
    """Recompute everything: positions, trees, every checkpoint, the guard, and the published files."""
    from compliance.ledger.models import LedgerEntry, PendingEntry

    damage = Damage()
    rows = list(LedgerEntry.objects.order_by("position").values_list("position", "leaf_sha256"))
    noted = [line for path in acknowledged if path.exists() for line in _whole_lines(path)]
    counts = Counter(digest for _, digest in rows)
    damage.n_entries, damage.n_acknowledged = len(rows), len(noted)
    damage.gaps = sum(position != expected for expected, (position, _) in enumerate(rows))
    # Leaves carry random ids: two equal ones are one entry that was positioned twice.
    damage.duplicates = sum(count - 1 for count in counts.values())
    damage.lost = sum(digest not in counts for digest in noted)
    if PendingEntry.objects.exists():
        damage.sentences.append("Entries still wait for a position after the outbox was emptied.")
    _check_trees(damage)
    _check_guard(damage)
    _check_files(damage, log_folder)
    return damage


def _whole_lines(path: Path) -> list[str]:
    """A writer may have been killed in the middle of a line; what it did not finish it did not acknowledge."""
    content = path.read_text()
    return content[: content.rfind("\n") + 1].split()


def _check_trees(damage: Damage) -> None:
    """Every checkpoint must be the root over the first entries of its log, computed from the leaves anew."""
    from compliance.evidence.merkle import leaf_hash, root_of
    from compliance.ledger.models import LedgerEntry, Log

    for log in Log.objects.order_by("number"):
        rows = LedgerEntry.objects.filter(position__gte=log.first_position, position__lt=log.end).order_by("position")
        hashes = [leaf_hash(bytes(leaf)) for leaf in rows.values_list("leaf", flat=True)]
        if len(hashes) != log.size:
            damage.sentences.append(f"{log.origin} counts {log.size} entries and holds {len(hashes)}.")
        for checkpoint in log.checkpoints.all():
            damage.n_checkpoints += 1
            damage.forks += root_of(hashes[: checkpoint.size]).hex() != checkpoint.root_sha256


def _check_guard(damage: Damage) -> None:
    """What left the installation, by the guard, is what the database holds."""
    from django.conf import settings

    from compliance.ledger.guard import Guard
    from compliance.ledger.models import SignedCheckpoint

    for head in Guard(settings.CHECKPOINT_GUARD_PATH).heads().values():
        stored = SignedCheckpoint.objects.filter(log__origin=head.origin, size=head.size).first()
        damage.forks += stored is None or stored.root_sha256 != head.root_sha256


def _check_files(damage: Damage, log_folder: Path) -> None:
    """The published log is whole, and its checkpoint is one that was signed."""
    from compliance.evidence.checkpoint import parse_body, split_note
    from compliance.evidence.errors import EvidenceError
    from compliance.evidence.whole_log import read_whole
    from compliance.ledger.models import SignedCheckpoint

    # A killed publisher may leave a draft beside the logs, never inside one.
    for folder in sorted(path for path in log_folder.glob("*") if path.is_dir()):
        note = (folder / "checkpoint").read_bytes()
        head = parse_body(split_note(note)[0])
        stored = SignedCheckpoint.objects.filter(log__origin=head.origin, size=head.size).first()
        damage.forks += stored is None or stored.root_sha256 != head.root.hex()
        try:
            read_whole(1, folder, note, head)
        except EvidenceError as error:
            damage.sentences.append(f"{folder.name}: {error}")
