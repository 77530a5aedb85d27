"""The ledger stands still: the checkpointer found that database and signed heads do not tell one history.

Entries are still taken into the outbox, but get no positions: those positions may belong to entries that are lost, and
that somebody has a proof of. The checkpointer takes the hold back itself, in the first round in which all heads fit.
"""

from datetime import UTC, datetime

from compliance.ledger.models import LedgerHold


class LedgerHeldError(RuntimeError):
    """No entry is given a position for now. Nothing was done."""


def current() -> LedgerHold | None:
    """The hold that is in force."""
    return LedgerHold.objects.first()


def refuse() -> None:
    """Raises LedgerHeldError while a hold is in force."""
    held = current()
    if held is not None:
        raise LedgerHeldError(
            f"The ledger is held since {held.since:%Y-%m-%d %H:%M} UTC, entries wait in the outbox. {held.reason} It "
            "ends by itself once `manage.py checkpointer` finds that everything fits."
        )


def begin(reason: str) -> None:
    """Hold the ledger, or go on holding it for this reason. Outside the transaction that found the reason, which ends."""
    held = current()
    if held is None:
        LedgerHold.objects.create(reason=reason, since=datetime.now(tz=UTC))
    elif held.reason != reason:
        held.reason = reason
        held.save(update_fields=["reason"])


def lift() -> None:
    """Let the ledger go on, where it was held."""
    held = current()
    if held is not None:
        held.delete()
