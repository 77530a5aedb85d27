"""Signs the tree head after each batch. The only code that uses the ledger's private key; it never signs evidence.

It signs what is committed, and stores before anyone can read it. It refuses to sign a log that is shorter than, or
not an extension of, the last checkpoint it signed: that is what a restored backup or a rewritten table looks like.

Next: compliance/requests/actions/approve.py
"""

from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from compliance.evidence import checkpoint, tiles
from compliance.ledger.models import LogHead, SignedCheckpoint
from compliance.ledger.sequencer import read_tile


class LogForkError(RuntimeError):
    """The stored log does not extend the last signed checkpoint. Nothing is signed until a person has looked."""


@transaction.atomic
def sign_checkpoint(key: Ed25519PrivateKey) -> SignedCheckpoint | None:
    """Sign the current head if it grew since the last checkpoint; None when there is nothing new.

    Raises LogForkError when the log shrank, or when the last signed root is no longer the root of its first entries.
    """
    head = LogHead.objects.select_for_update().filter(pk=1).first()
    size = 0 if head is None else head.size
    last = SignedCheckpoint.objects.order_by("-size").first()
    if last is not None:
        _refuse_fork(last, size)
    if size == 0 or (last is not None and last.size == size):
        return None
    root = tiles.root(size, read_tile)
    origin = settings.LEDGER_ORIGIN
    note = checkpoint.sign(checkpoint.Checkpoint(origin=origin, size=size, root=root), origin, key)
    return SignedCheckpoint.objects.create(
        size=size,
        root_sha256=root.hex(),
        note=note,
        note_sha256=sha256(note).hexdigest(),
        signed_at=datetime.now(tz=UTC),
    )


def _refuse_fork(last: SignedCheckpoint, size: int) -> None:
    if size < last.size:
        raise LogForkError(
            f"The log holds {size} entries, but a checkpoint over {last.size} was signed. Was a backup restored? "
            "Restore the missing entries; do not delete the checkpoint."
        )
    if tiles.root(last.size, read_tile).hex() != last.root_sha256:
        raise LogForkError(
            f"The first {last.size} entries no longer have the root that was signed over them: the log was changed."
        )


def latest() -> SignedCheckpoint | None:
    """The newest signed checkpoint."""
    return SignedCheckpoint.objects.order_by("-size").first()
