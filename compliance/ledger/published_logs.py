"""Published logs read back, for the day on which the database is older than they are. Nothing in them is trusted.

A log counts when all of its entries have the root that its checkpoint names, and the checkpoint is one that we signed:
the guard remembers it, or a key opens it that the database knows and nobody distrusts. Nothing is longer than the guard
remembers: whoever has a stolen key can sign more, and cannot write there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from compliance.evidence import checkpoint, leaf, tile_files, whole_log
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import EvidenceError, LeafError
from compliance.ledger import notes
from compliance.ledger.guard import Guard, SignedHead
from compliance.ledger.notes import UnpublishedKeyError


class PublishedLogError(RuntimeError):
    """What was given is no published log of this ledger, or was changed. Nothing was done."""


@dataclass(frozen=True)
class PublishedLog:
    """A verified log: its number from 1 on, its signed head, and all leaves under it."""

    number: int
    head: Checkpoint
    leaves: list[bytes]


def read_published(folder: Path) -> list[PublishedLog]:
    """Every log of a published folder, or of an export, in the order of their numbers. Raises PublishedLogError.

    Each number from 1 on must be there, up to the highest.
    """
    root = folder / "logs" if (folder / "logs").is_dir() else folder
    heads = signed_heads()
    found = sorted((_read(path.parent, heads) for path in root.glob("*/checkpoint")), key=lambda log: log.number)
    if not found or [log.number for log in found] != list(range(1, len(found) + 1)):
        raise PublishedLogError(
            f"{folder}: expected the folders of all logs from the first on, each with a checkpoint; found "
            f"{', '.join(log.head.origin for log in found) or 'none'}."
        )
    return found


def signed_heads() -> dict[str, SignedHead]:
    """What the guard remembers, by origin; raises GuardError."""
    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    with guard.locked():
        return guard.heads()


def _read(path: Path, heads: dict[str, SignedHead]) -> PublishedLog:
    try:
        note = tile_files.LogFolder(path).checkpoint()
        head = checkpoint.parse_body(checkpoint.split_note(note)[0])
        _refuse_unsigned(head, note, heads)
        log = whole_log.read_whole(0, path, note, head)
        return PublishedLog(_number(log.leaves), head, log.leaves)
    except EvidenceError as error:
        raise PublishedLogError(f"{path} cannot be relied on. {error}") from error


def _refuse_unsigned(head: Checkpoint, note: bytes, heads: Mapping[str, SignedHead]) -> None:
    signed = heads.get(head.origin)
    if signed is not None and (signed.size, signed.root_sha256) == (head.size, head.root.hex()):
        return
    n_signed = 0 if signed is None else signed.size
    if heads and head.size >= n_signed:
        raise PublishedLogError(
            f"The checkpoint of {head.origin} is over {head.size} entries, and the guard remembers another head, over "
            f"{n_signed}: it was not signed here. Take the log that was published from here. If the guard was lost and "
            "made anew since, put it aside first."
        )
    try:
        notes.trusted_vkey_of(note)
    except UnpublishedKeyError as error:
        raise PublishedLogError(
            f"The checkpoint of {head.origin} is signed by no key that this database knows and trusts, and the guard does "
            "not remember it. Keep the guard file where it was, and take the log that was published from here."
        ) from error


def _number(leaves: list[bytes]) -> int:
    """The first entry of every log but the first says which log it is."""
    if not leaves:
        raise LeafError("A published log holds at least one entry.")
    first = leaf.parse(leaves[0]) if not leaves[0].startswith(b'{"apiVersion":') else None
    return int(str(first.facts["log"])) if first is not None and first.type == "log.opened" else 1
