"""Pages of requests by cursor: rows that arrive meanwhile move no page, and page 1000 costs what page 1 costs.

Next: compliance/requests/keyset.py
"""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from compliance.requests import keyset
from compliance.requests.keyset import NEWEST_FIRST, Order
from compliance.requests.models import DeletionRequest

N_ROWS = 50
_AFTER, _BEFORE = "after.", "before."


def page_of(
    rows: QuerySet[DeletionRequest], request: Request, cursor: str | None, order: Order = NEWEST_FIRST
) -> dict[str, Any]:
    """One page, with the addresses of those beside it; raises ValidationError for a cursor that is none of ours."""
    try:
        page = keyset.page(rows, order, n_rows=N_ROWS, **_direction(cursor))
    except keyset.CursorError as error:
        raise ValidationError({"cursor": "Expected the cursor of a link that this API gave out."}) from error
    return {
        "next": _address(request, _AFTER, page.after),
        "previous": _address(request, _BEFORE, page.before),
        "results": page.rows,
    }


def _direction(cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    for prefix, side in ((_AFTER, "after"), (_BEFORE, "before")):
        place = cursor.removeprefix(prefix)
        if place and cursor.startswith(prefix):
            return {side: place}
    raise keyset.CursorError


def _address(request: Request, prefix: str, place: str | None) -> str | None:
    if place is None:
        return None
    return str(replace_query_param(request.build_absolute_uri(), "cursor", prefix + place))
