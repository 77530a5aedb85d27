"""Signed notes as others get them: the checkpoint with the cosignatures collected so far, and the key that signed it."""

from compliance.evidence.checkpoint import open_note
from compliance.evidence.errors import EvidenceError
from compliance.ledger.models import PublicKey, SignedCheckpoint


class UnpublishedKeyError(RuntimeError):
    """No published key signed a checkpoint."""


def cosigned(checkpoint: SignedCheckpoint) -> bytes:
    """The note with one line for each witness that cosigned it, in the order of their names."""
    lines = checkpoint.cosignatures.order_by("witness").values_list("line", flat=True)
    return bytes(checkpoint.note) + b"".join(bytes(line) for line in lines)


def vkey_of(note: bytes) -> str:
    """The published key that signed this note; raises UnpublishedKeyError."""
    for key in PublicKey.objects.filter(purpose=PublicKey.Purpose.CHECKPOINT).order_by("-published_at"):
        try:
            open_note(note, [key.text])
        except EvidenceError:
            continue
        return key.text
    raise UnpublishedKeyError("No published key signed this checkpoint. Start `manage.py checkpointer`.")
