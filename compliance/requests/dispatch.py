"""The one seam to the workers: ids go out, after commit, through whatever `settings.DISPATCHER` names.

Compliance never imports the workers. A broker that does not answer loses nothing: the rows say what is to be done,
and the sweep sends it again.

Next: workers/dispatch.py
"""

import logging
import uuid
from functools import partial
from typing import Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


class Dispatcher(Protocol):
    """What compliance asks of the workers. Arguments are ids alone: no message carries personal data."""

    def ask_identity(self, request_id: uuid.UUID) -> None: ...

    def search_sources(self, request_id: uuid.UUID) -> None: ...

    def plan(self, request_id: uuid.UUID) -> None: ...

    def run_job(self, job_id: uuid.UUID, queue: str) -> None: ...

    def summarise(self, request_id: uuid.UUID) -> None: ...

    def send_letter(self, letter_id: int) -> None: ...

    def deliver(self, delivery_id: uuid.UUID) -> None: ...


class NullDispatcher:
    """Sends nothing: the work waits for a sweep, or for a test that does it by hand."""

    def ask_identity(self, request_id: uuid.UUID) -> None:
        """Nothing."""

    def search_sources(self, request_id: uuid.UUID) -> None:
        """Nothing."""

    def plan(self, request_id: uuid.UUID) -> None:
        """Nothing."""

    def run_job(self, job_id: uuid.UUID, queue: str) -> None:
        """Nothing."""

    def summarise(self, request_id: uuid.UUID) -> None:
        """Nothing."""

    def send_letter(self, letter_id: int) -> None:
        """Nothing."""

    def deliver(self, delivery_id: uuid.UUID) -> None:
        """Nothing."""


def dispatcher() -> Dispatcher:
    """The configured dispatcher."""
    return cast(Dispatcher, import_string(settings.DISPATCHER)())


def after_commit(work: str, *arguments: uuid.UUID | str | int) -> None:
    """Send one piece of work (a method of `Dispatcher`) once the surrounding transaction has committed."""
    transaction.on_commit(partial(_send, work, arguments))


def _send(work: str, arguments: tuple[uuid.UUID | str | int, ...]) -> None:
    try:
        getattr(dispatcher(), work)(*arguments)
    except Exception as error:  # noqa: BLE001  whatever a broker raises
        # The change is committed and must not look failed to its caller; the sweep sends again.
        logger.warning("could not send %s %s (%s); the sweep will", work, arguments[0], type(error).__name__)
