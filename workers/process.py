"""Who this worker process is: a random id that means nothing outside the ledger, and the version of its code."""

import functools
import os
import uuid
from importlib.metadata import version

from compliance.evidence.statement import Worker
from compliance.ledger import actors


def worker() -> Worker:
    """This process as evidence names it."""
    return Worker(id=str(_id_of(os.getpid())), code_version=version("expunge"))


def actor() -> actors.Actor:
    """This process as the author of ledger entries and the owner of leases."""
    return actors.worker(_id_of(os.getpid()))


@functools.cache
def _id_of(pid: int) -> uuid.UUID:
    # By pid, because a pool's children are copies of one process and must not share an id.
    return uuid.uuid4()
