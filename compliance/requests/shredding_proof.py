"""Whether a request was shredded, shown from what is there: its rows, its entry in the ledger, and the keys held here."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from compliance.evidence import merkle, proof, tiles
from compliance.evidence.checkpoint import open_note
from compliance.ledger import logs, notes
from compliance.ledger.models import LedgerEntry, SignedCheckpoint
from compliance.requests.errors import NotFoundError
from compliance.requests.models import IdentityChallenge, SealedNote, SubjectVault
from compliance.vault import ring

_EVENT = "request.shredded"


@dataclass(frozen=True, kw_only=True)
class ProvenEntry:
    """The entry, verified to stand under a signed checkpoint; `written` is that proof (C2SP tlog-proof)."""

    log: str
    index: int
    size: int
    written: bytes


@dataclass(frozen=True, kw_only=True)
class ShreddingProof:
    """`last_key_id` wrapped the row last ("": a key from before keys had ids); `held_key_ids` are the keys of this
    process, each of which may open copies of the row from a time when it wrapped it."""

    shredded_at: datetime | None
    is_blank: bool
    n_notes: int
    n_challenges: int
    entry: ProvenEntry | None
    last_key_id: str
    held_key_ids: tuple[str, ...]

    @property
    def is_shredded(self) -> bool:
        """Whether rows and ledger say so."""
        return self.is_blank and not self.n_notes and not self.n_challenges and self.entry is not None


def inspect(request_id: uuid.UUID) -> ShreddingProof:
    """Raises NotFoundError, and EvidenceError or ProofError for an entry that the ledger does not prove."""
    vault = SubjectVault.objects.filter(request=request_id).first()
    if vault is None:
        raise NotFoundError(f"There is no request {request_id}.")
    held = [key.key_id for key in ring.configured().held()]
    return ShreddingProof(
        shredded_at=vault.shredded_at,
        is_blank=_is_blank(vault),
        n_notes=SealedNote.objects.filter(request=request_id).count(),
        n_challenges=IdentityChallenge.objects.filter(request=request_id).count(),
        entry=_entry(request_id),
        last_key_id=vault.master_key_id,
        held_key_ids=tuple(held),
    )


def _is_blank(vault: SubjectVault) -> bool:
    sealed = (vault.wrapped_key, vault.sealed_identifier, vault.sealed_commitment_key)
    return vault.shredded_at is not None and not vault.pseudonym and not any(bytes(each) for each in sealed)


def _entry(request_id: uuid.UUID) -> ProvenEntry | None:
    """None while there is none, or its checkpoint is not signed yet."""
    entry = LedgerEntry.objects.filter(request_id=request_id, event_type=_EVENT).first()
    if entry is None:
        return None
    log = logs.holding(entry.position)
    checkpoint = logs.last_checkpoint(log)
    if checkpoint is None or checkpoint.end <= entry.position:
        return None
    index = entry.position - log.first_position
    return ProvenEntry(log=log.origin, index=index, size=checkpoint.size, written=_proven(entry, index, checkpoint))


def _proven(entry: LedgerEntry, index: int, checkpoint: SignedCheckpoint) -> bytes:
    note, leaf = bytes(checkpoint.note), merkle.leaf_hash(bytes(entry.leaf))
    signed = open_note(note, [notes.vkey_of(note)])
    path = tiles.inclusion_path(index, signed.size, logs.reader(checkpoint.log))
    merkle.verify_inclusion(leaf, index, signed.size, path, signed.root)
    return proof.write(index, path, note, hint=leaf)
