"""Pages of requests, newest first, by cursor: rows that arrive meanwhile move no page."""

from datetime import UTC
from typing import NoReturn

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """50 requests a page, by time of receipt."""

    page_size = 50
    ordering = ("-received_at", "id")

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor of the query; raises ValidationError for one that this API did not give out."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            _refuse()
        # The framework hands the position to the database as it came.
        if cursor is not None and cursor.position is not None and not _is_time(str(cursor.position)):
            _refuse()
        return cursor


def _refuse() -> NoReturn:
    raise ValidationError({"cursor": "Expected the cursor of a link that this API gave out."})


def _is_time(position: str) -> bool:
    try:
        found = parse_datetime(position)
        return found is not None and found.tzinfo is not None and found.astimezone(UTC).year > 1
    except (OverflowError, ValueError):
        return False
