"""Is it in the log? Each log's checkpoint under a trusted key, every entry under its checkpoint, log after log."""

from collections.abc import Mapping, Sequence

from compliance.evidence import checkpoint as checkpoints
from compliance.evidence import leaf as leaves
from compliance.evidence import proof as proofs
from compliance.evidence import roles
from compliance.evidence.bundle import BundledLog, Entry
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import CheckpointKeyError, EntryChangedError, LogSuccessionError, ProofError
from compliance.evidence.merkle import leaf_hash, verify_inclusion
from compliance.evidence.position import Position
from compliance.evidence.record import Logged


def open_checkpoint(vkey: str, note: bytes, pinned: Sequence[str] | None) -> Checkpoint:
    """The verified checkpoint of a log: signed with the key that the file names, which must be a pinned one.

    With None there are no pins. Other pinned keys do not count: the report names this one as the key that signed.
    Raises CheckpointMalformedError, CheckpointKeyError or CheckpointSignatureError.
    """
    own = str(checkpoints.parse_vkey(vkey))
    trusted = [own] if pinned is None else [str(checkpoints.parse_vkey(each)) for each in pinned]
    if own not in trusted:
        raise CheckpointKeyError(f"The ledger key shown is {own}; you trust {', '.join(trusted) or 'none'}.")
    return checkpoints.open_note(note, [own])


def refuse_foreign_entries(
    entries: Sequence[Entry], logs: Sequence[BundledLog], heads: Mapping[int, Checkpoint]
) -> tuple[Logged, ...]:
    """The entries, each proven to be in its log; raises EntryChangedError or ProofError."""
    notes = {log.number: log.checkpoint for log in logs}
    return tuple(_proven(entry, notes[entry.position.log], heads[entry.position.log]) for entry in entries)


def _proven(entry: Entry, note: bytes, head: Checkpoint) -> Logged:
    """The hint in the proof decides only which of two sentences is shown, never whether the entry is accepted."""
    name = f"Entry {entry.position}"
    proof = proofs.parse(entry.proof)
    if proof.checkpoint != note:
        raise ProofError(f"{name}: the proof leads to another checkpoint than the bundle's.")
    if proof.index != entry.position.index:
        raise ProofError(f"{name}: the proof is that of entry {proof.index}.")
    computed = leaf_hash(entry.leaf)
    try:
        verify_inclusion(computed, proof.index, head.size, proof.path, head.root)
    except ProofError as error:
        if proof.hint == computed:
            raise ProofError(f"{name}: {error}") from error
        raise EntryChangedError(
            f"{name} is not in the log: it hashes to {computed.hex()[:16]}…, and the proof does not lead from there to "
            "the checkpoint."
        ) from error
    if proof.hint is not None and proof.hint != computed:
        raise ProofError(f"{name}: the proof names another leaf hash than the entry that it proves.")
    return Logged(position=entry.position, kind=entry.kind, leaf=entry.leaf, sha256=computed.hex())


def refuse_broken_succession(heads: Mapping[int, Checkpoint], entries: Sequence[Logged]) -> None:
    """Raises LogSuccessionError unless each log begins with the head that the log before it ends with.

    `heads` are the checkpoints by log number; the entries of kind "log" are the first ones of all logs but number 1,
    for a number that no entry confirms would be one that anybody can write.
    """
    first, last = min(heads), max(heads)
    if sorted(heads) != list(range(first, last + 1)):
        raise LogSuccessionError(f"Expected every log from {first} to {last}, found {sorted(heads)}.")
    openings = {entry.position: entry for entry in entries if entry.kind == "log"}
    if sorted(openings) != [Position(number, 0) for number in range(max(first, 2), last + 1)]:
        raise LogSuccessionError("Expected the first entry of each log but number 1, and no other entry of logs.")
    for position, opening in openings.items():
        refuse_other_predecessor(position.log, opening.leaf, heads.get(position.log - 1))


def refuse_other_predecessor(number: int, leaf: bytes, before: Checkpoint | None) -> None:
    """Raises LogSuccessionError unless this first leaf of a log gives its number and names the head of the log before
    it; None stands for a head that is not shown. Raises ActorRoleError where somebody else than the system wrote it."""
    event = leaves.parse(leaf)
    if event.type != "log.opened":
        raise LogSuccessionError(f"Log {number} begins with {event.type}; expected log.opened.")
    roles.refuse_other_role(Position(number, 0), event)
    if event.facts["log"] != number:
        raise LogSuccessionError(f"Log {number} begins as log {event.facts['log']}.")
    named = (event.facts["previous_size"], event.facts["previous_root_sha256"])
    if before is not None and named != (before.size, before.root.hex()):
        raise LogSuccessionError(
            f"Log {number} begins after {named[0]} entries of the log before it; the checkpoint shown of that log is "
            f"over {before.size}, or has another root."
        )
