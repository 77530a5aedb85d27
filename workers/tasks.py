"""What a message makes a worker do: load by id, one call. A message never carries more than an id.

No task raises: the broker has nothing to decide. What is expected is logged by its code, what is not by type and
place; the rows say what is still to be done, and the sweep asks again.

Next: workers/director.py
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from compliance.ledger.actors import SYSTEM
from compliance.outbound import engine
from compliance.requests import letters
from compliance.requests.actions import plan as planning
from compliance.requests.actions import search_sources as searching
from compliance.requests.actions.request_identity import mark_code_sent, request_identity
from workers import faults
from workers.app import app

logger = logging.getLogger(__name__)
TaskT = TypeVar("TaskT", bound=Callable[..., None])


def _task(function: TaskT) -> TaskT:
    """Register a function under its own name and leave it callable as it is."""
    app.task(name=f"{__name__}.{function.__name__}")(function)
    return function


@contextmanager
def _logged(what: str, of: str | int) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  Celery would log its message, which may hold an address
        fault = faults.fault_of(error)
        if fault.is_expected:
            logger.info("%s %s: %s", what, of, fault.reason)
        else:
            logger.error("%s %s: %s", what, of, faults.describe(error))


@_task
def ask_identity(request_id: str) -> None:
    """Send the data subject of a request a one-time code, unless staff are to check who it is."""
    with _logged("ask_identity", request_id):
        code = request_identity(uuid.UUID(request_id), actor=SYSTEM)
        if code:
            letters.send_identity_code(uuid.UUID(request_id), code)
            mark_code_sent(uuid.UUID(request_id))


@_task
def search_sources(request_id: str) -> None:
    """Look for the person of a request in the data sources."""
    with _logged("search_sources", request_id):
        searching.search_sources(uuid.UUID(request_id))


@_task
def plan(request_id: str) -> None:
    """Turn an approved request into jobs."""
    with _logged("plan", request_id):
        planning.plan(uuid.UUID(request_id), actor=SYSTEM)


@_task
def run_job(job_id: str) -> None:
    """Make one model forget."""
    with _logged("run_job", job_id):
        from workers import director  # Imports torch.

        director.run_job(uuid.UUID(job_id))


@_task
def summarise(request_id: str) -> None:
    """Sign the summaries of a completed request."""
    with _logged("summarise", request_id):
        from workers import summaries

        summaries.summarise(uuid.UUID(request_id))


@_task
def send_letter(letter_id: int) -> None:
    """Mail a letter to the data subject."""
    with _logged("send_letter", letter_id):
        letters.send(letter_id)


@_task
def deliver(delivery_id: str) -> None:
    """Make one try at a delivery to another system."""
    with _logged("deliver", delivery_id):
        engine.deliver(uuid.UUID(delivery_id))


@_task
def sweep() -> None:
    """Send again what was lost, and destroy what is due."""
    with _logged("sweep", ""):
        from workers import sweep as sweeping

        sweeping.sweep()
