"""Signed notes as others get them: the checkpoint with the cosignatures collected so far, and the key that signed it."""

from django.db.models import QuerySet

from compliance.evidence.checkpoint import open_note
from compliance.evidence.errors import EvidenceError, TrustFileError
from compliance.evidence.witness_policy import WitnessPolicy
from compliance.ledger import witnesses
from compliance.ledger.models import PublicKey, SignedCheckpoint


class UnpublishedKeyError(RuntimeError):
    """No published key signed a checkpoint."""


def cosigned(checkpoint: SignedCheckpoint) -> bytes:
    """The note with a line for each witness of the configured policy that cosigned it; without a readable policy none."""
    try:
        policy = witnesses.policy()
    except TrustFileError:
        policy = None
    return cosigned_under(checkpoint, policy)


def cosigned_under(checkpoint: SignedCheckpoint, policy: WitnessPolicy | None) -> bytes:
    """The note with the lines that verify under the keys of this policy, in the order of the witnesses' names.

    Rows cannot be removed, and a row alone says nothing: what does not verify is shown to nobody.
    """
    return bytes(checkpoint.note) + b"".join(witnesses.verified_lines(checkpoint, policy).values())


def vkey_of(note: bytes) -> str:
    """The published key that signed this note; raises UnpublishedKeyError."""
    return _vkey_among(PublicKey.objects.all(), note)


def trusted_vkey_of(note: bytes) -> str:
    """The same of the keys that nobody distrusts, from whatever moment on: a note says no time that counts."""
    return _vkey_among(PublicKey.objects.filter(distrusted_from=None), note)


def _vkey_among(keys: QuerySet[PublicKey], note: bytes) -> str:
    for key in keys.filter(purpose=PublicKey.Purpose.CHECKPOINT).order_by("-published_at"):
        try:
            open_note(note, [key.text])
        except EvidenceError:
            continue
        return key.text
    raise UnpublishedKeyError("No published key signed this checkpoint. Start `manage.py checkpointer`.")
