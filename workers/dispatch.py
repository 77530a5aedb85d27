"""What ``settings.DISPATCHER`` names: sends ids to the queues, and gives up soon when the broker does not answer.

A message that could not be sent is no error to the caller: the change is committed, and the sweep sends it again.

Next: workers/tasks.py
"""

import logging
import uuid

from kombu.exceptions import OperationalError

from workers.app import CPU, app

logger = logging.getLogger(__name__)

#: A web request waits for this: connecting and each answer of the broker get this many seconds.
PATIENCE_SECONDS = 1.0
_IMPATIENT = {
    "socket_connect_timeout": PATIENCE_SECONDS,
    "socket_timeout": PATIENCE_SECONDS,
    "connect_retries_timeout": PATIENCE_SECONDS,
    "max_retries": 1,
    "interval_start": 0.0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}


class CeleryDispatcher:
    """Implements ``compliance.requests.dispatch.Dispatcher``."""

    def ask_identity(self, request_id: uuid.UUID) -> None:
        """Send the data subject a code."""
        _send("ask_identity", str(request_id))

    def search_sources(self, request_id: uuid.UUID) -> None:
        """Look for the person in the data sources."""
        _send("search_sources", str(request_id))

    def plan(self, request_id: uuid.UUID) -> None:
        """Turn an approval into jobs."""
        _send("plan", str(request_id))

    def run_job(self, job_id: uuid.UUID, queue: str) -> None:
        """Run a job on a worker of this queue."""
        _send("run_job", str(job_id), queue)

    def summarise(self, request_id: uuid.UUID) -> None:
        """Sign the summaries of a completed request."""
        _send("summarise", str(request_id))

    def send_letter(self, letter_id: int) -> None:
        """Mail a letter that is owed."""
        _send("send_letter", letter_id)

    def deliver(self, delivery_id: uuid.UUID) -> None:
        """Make one try at a delivery to another system."""
        _send("deliver", str(delivery_id))


def _send(task: str, argument: str | int, queue: str = CPU) -> None:
    try:
        # A connection of its own: the impatience must not reach the one on which a worker waits for messages.
        with app.connection_for_write(connect_timeout=PATIENCE_SECONDS, transport_options=_IMPATIENT) as connection:
            app.send_task(f"workers.tasks.{task}", (argument,), queue=queue, connection=connection, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("%s %s not sent (%s); the sweep sends it again", task, argument, type(error).__name__)
