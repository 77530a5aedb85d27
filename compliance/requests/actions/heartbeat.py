"""A worker says that it is still at work, and how far it is. Not an event: nothing of it goes into the ledger."""

import uuid

from compliance.ledger.actors import Actor
from compliance.requests import leases


def heartbeat(job_id: uuid.UUID, *, actor: Actor, progress: float, message: str) -> None:
    """Extend the lease; raises LostLeaseError."""
    leases.extend(job_id, actor, progress, message)
