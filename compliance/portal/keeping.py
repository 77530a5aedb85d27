"""How long it is known whose a request is: until when the identity of a closed one is held, and since when it is not."""

from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.requests import retention
from compliance.requests.models import DeletionRequest


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """`shred_at` is the time set for a closed request, `is_late` whether it has passed; `shredded_at` is when it was done."""

    is_kept: bool
    shred_at: datetime | None = None
    is_late: bool = False
    shredded_at: datetime | None = None


def keeping(deletion: DeletionRequest) -> Keeping:
    """One query for a closed request whose identity is held, none for the others."""
    vault = getattr(deletion, "vault", None)
    if vault is None or vault.shredded_at is not None:
        return Keeping(is_kept=False, shredded_at=vault and vault.shredded_at)
    if deletion.closed_at is None:
        return Keeping(is_kept=True)
    shred_at = retention.schedule().filter(pk=deletion.pk).values_list("shred_at", flat=True).first()
    is_late = shred_at is not None and shred_at <= datetime.now(tz=UTC)
    return Keeping(is_kept=True, shred_at=shred_at, is_late=is_late)
