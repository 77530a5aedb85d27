"""That a log only grew since a checkpoint that the caller kept: history was not rewritten in between.

 1. Both checkpoints are signed by a pinned key of one log.
 2. The newer one is cosigned as the trust file asks.
 3. The log of the newer one begins with all entries of the older one (RFC 6962, section 2.1.2).

Left to the caller: that the older checkpoint is the one that was kept, and that nobody is shown another newer one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.evidence import checkpoint, consistency, witnessing
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.tile_files import LogFolder
from compliance.evidence.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Growth:
    """A verified step of one log. `proof` is the file that shows it to others who hold the older checkpoint."""

    old: Checkpoint
    new: Checkpoint
    n_hashes: int
    witnesses: tuple[str, ...]
    is_witnessed: bool
    proof: bytes

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "origin": self.new.origin,
            "old_size": self.old.size,
            "new_size": self.new.size,
            "old_root_sha256": self.old.root.hex(),
            "new_root_sha256": self.new.root.hex(),
            "n_hashes": self.n_hashes,
            "witnesses": list(self.witnesses),
            "is_witnessed": self.is_witnessed,
        }


def in_folder(old_note: bytes, folder: Path, trust: Trust) -> Growth:
    """Prove the step to the checkpoint of a log's folder from its tiles.

    Raises the EvidenceError of what is wrong: of a note, of the tiles, ConsistencyError where the log did not only grow.
    """
    log = LogFolder(folder)
    new_note = log.checkpoint()
    old, new = (checkpoint.open_note(note, trust.log_vkeys) for note in (old_note, new_note))
    return in_proof(old_note, consistency.prove(old, new, new_note, log.reader(new.size)), trust)


def in_proof(old_note: bytes, data: bytes, trust: Trust) -> Growth:
    """Verify the step that a proof file shows; raises as `in_folder` does."""
    proof = consistency.parse(data)
    # 1. Two signed checkpoints.
    old, new = (checkpoint.open_note(note, trust.log_vkeys) for note in (old_note, proof.note))
    # 2. Witnesses.
    seen = witnessing.witnessing_of(proof.note, trust)
    # 3. The one is the beginning of the other.
    consistency.refuse_other_size(old, proof)
    consistency.verify(old, new, proof.path)
    return Growth(
        old=old,
        new=new,
        n_hashes=len(proof.path),
        witnesses=tuple(sorted(seen.cosigned_at)),
        is_witnessed=seen.quorum_at is not None,
        proof=consistency.write(old.size, proof.path, proof.note),
    )
