"""Two transactions in each other's way: the database ended one of them, and nothing of it was kept.

Whoever asked only has to ask again, so that is what they are told, with 503 and Retry-After (RFC 9110, sections 15.6.4
and 10.2.3), instead of a failure. It is logged as a warning all the same: often, it would be a mistake of ours
(the order of locks: compliance/requests/transitions.py).
"""

import logging
import sqlite3
from collections.abc import Callable

import psycopg
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

RETRY_AFTER_SECONDS = 1
#: PostgreSQL's class 40 and its refusal to wait longer (SQLSTATE, appendix A of its manual).
_PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)
# The low byte of every SQLITE_BUSY_… (sqlite.org/rescode.html).
_SQLITE_PRIMARY = 0xFF
logger = logging.getLogger(__name__)


def is_lost_to_another(error: BaseException) -> bool:
    """Whether the database gave this transaction up for another one, so that the same call may succeed now."""
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", 0) & _SQLITE_PRIMARY in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return isinstance(cause, _PASSING)


def log_lost(error: BaseException) -> None:
    """By its kind: what the database says of it may hold values."""
    logger.warning("lost to another transaction: %s", type(error.__cause__).__name__)


class ContentionMiddleware:
    """The same for pages. What the API answers is in compliance/api/errors.py."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Django's protocol."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for a call that lost, None for every other error: Django goes on with it."""
        if not is_lost_to_another(error):
            return None
        log_lost(error)
        # Without the context of the request, which the database would be asked for.
        page = get_template("503.html").render()
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
