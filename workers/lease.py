"""Keeps a job ours while the work runs: a thread with its own database connection extends the lease.

The work itself only asks whether the lease is lost: when another worker took the job, and also while no heartbeat
could be written for as long as a lease lasts, because from then on another worker may have it.
"""

import logging
import threading
import time
import uuid
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from compliance.ledger.actors import Actor
from compliance.requests.actions.heartbeat import heartbeat
from compliance.requests.errors import RequestError

logger = logging.getLogger(__name__)

#: Progress is written at most this often: seconds.
SHORTEST_PAUSE_SECONDS = 0.5


class Lease:
    """A context: inside it the lease of a job that ``actor`` has claimed is extended, with the progress reported.

    deadline_at: when this attempt should have ended, in seconds of ``time.monotonic``.
    """

    def __init__(self, job_id: uuid.UUID, actor: Actor) -> None:
        self._job_id = job_id
        self._actor = actor
        self._lost = threading.Event()
        self._stopped = threading.Event()
        self._reported = threading.Event()
        self._progress = (0.0, "")
        self._held_until = time.monotonic() + settings.JOB_LEASE_SECONDS
        self.deadline_at = time.monotonic() + settings.JOB_DEADLINE_SECONDS
        self._thread = threading.Thread(target=self._keep, name=f"lease-{job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._reported.set()
        self._thread.join(timeout=settings.JOB_LEASE_SECONDS)

    def is_lost(self) -> bool:
        """Whether another worker has, or may have, taken the job."""
        return self._lost.is_set() or time.monotonic() > self._held_until

    def report(self, fraction: float, message: str) -> None:
        """Tell how far the job is (fraction in [0, 1]); written with the next heartbeat, which this hastens."""
        self._progress = (fraction, message)
        self._reported.set()

    def _keep(self) -> None:
        try:
            while not self._stopped.wait(SHORTEST_PAUSE_SECONDS):
                self._reported.wait(settings.JOB_LEASE_SECONDS / 3)
                self._reported.clear()
                if self._stopped.is_set() or not self._beat():
                    return
        finally:
            connection.close()

    def _beat(self) -> bool:
        """Whether to go on."""
        fraction, message = self._progress
        began_at = time.monotonic()
        try:
            heartbeat(self._job_id, actor=self._actor, progress=fraction, message=message)
            self._held_until = began_at + settings.JOB_LEASE_SECONDS
        except RequestError:
            self._lost.set()
        except Error as error:
            logger.warning("job %s: heartbeat not written (%s)", self._job_id, type(error).__name__)
            connection.close()  # The next one starts afresh.
        return not self._lost.is_set()
