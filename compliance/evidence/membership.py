"""Is it in the log? The checkpoint under a trusted key, and every entry under the checkpoint."""

from collections.abc import Sequence

from compliance.evidence import checkpoint as checkpoints
from compliance.evidence import proof as proofs
from compliance.evidence.bundle import BundleContents, Entry
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import CheckpointKeyError, EntryChangedError, ProofError
from compliance.evidence.merkle import leaf_hash, verify_inclusion


def open_checkpoint(contents: BundleContents, pinned: Sequence[str] | None) -> Checkpoint:
    """The verified checkpoint of a bundle: signed with the key that the bundle names, which must be a pinned one.

    With None there are no pins. Other pinned keys do not count: the report names this one as the key that signed.
    Raises CheckpointMalformedError, CheckpointKeyError or CheckpointSignatureError.
    """
    own = str(checkpoints.parse_vkey(contents.log_vkey))
    trusted = [own] if pinned is None else [str(checkpoints.parse_vkey(vkey)) for vkey in pinned]
    if own not in trusted:
        raise CheckpointKeyError(f"The bundle names the ledger key {own}; you trust {', '.join(trusted) or 'none'}.")
    return checkpoints.open_note(contents.checkpoint, [own])


def refuse_foreign_entry(entry: Entry, note: bytes, head: Checkpoint) -> str:
    """The leaf hash (hex) of an entry that is in the log; raises EntryChangedError or ProofError.

    The hint in the proof decides only which of the two sentences is shown, never whether the entry is accepted.
    """
    name = f"entries/{entry.index:08d}"
    proof = proofs.parse(entry.proof)
    if proof.checkpoint != note:
        raise ProofError(f"{name}.tlog-proof leads to another checkpoint than the bundle's.")
    if proof.index != entry.index:
        raise ProofError(f"{name}.tlog-proof is the proof of entry {proof.index}.")
    computed = leaf_hash(entry.leaf)
    try:
        verify_inclusion(computed, entry.index, head.size, proof.path, head.root)
    except ProofError as error:
        if proof.hint == computed:
            raise ProofError(f"{name}.tlog-proof: {error}") from error
        raise EntryChangedError(
            f"{name}.leaf is not in the log: it hashes to {computed.hex()[:16]}…, and the proof does not lead from "
            "there to the checkpoint."
        ) from error
    if proof.hint is not None and proof.hint != computed:
        raise ProofError(f"{name}.tlog-proof names another leaf hash than the entry that it proves.")
    return computed.hex()
