"""Which requests a list shows and in which order: filters that an index answers, or that look at few rows.

Next: compliance/requests/models.py
"""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from compliance.api.bodies import TextField, one_of
from compliance.requests import queries
from compliance.requests.keyset import DUE_FIRST, NEWEST_FIRST, NEWEST_IN_STATE, Order, in_state
from compliance.requests.models import Channel, DeletionRequest, Regulation
from compliance.requests.states import RequestState

N_UUID_DIGITS = 32
#: A shorter beginning would be that of too many requests.
N_PREFIX_DIGITS = 4
ORDERS = {"-received_at": NEWEST_FIRST, "due_date": DUE_FIRST}


class ListQuery(serializers.Serializer[Any]):
    """Which requests to list. Those that are due are open ones."""

    state = serializers.ListField(
        child=one_of(RequestState),
        required=False,
        allow_empty=False,
        max_length=len(RequestState),
        help_text="in one of these states; name it once for each",
    )
    channel = one_of(Channel, required=False)
    regulation = one_of(Regulation, required=False)
    overdue = serializers.BooleanField(required=False, help_text="true: open, and the due date is past")
    due_before = serializers.DateField(required=False, help_text="open, and due before this day")
    id_prefix = serializers.RegexField(
        r"^[0-9A-Fa-f][0-9A-Fa-f-]{3,35}$", required=False, help_text="how the id begins: at least four digits"
    )
    ordering = one_of(
        tuple(ORDERS),
        required=False,
        help_text="newest first, or open requests by due date; the latter without a word where it is asked what is due",
    )
    cursor = TextField(required=False, max_length=500, help_text="from the link to the next or previous page")

    def validate_id_prefix(self, text: str) -> str:
        """The hexadecimal digits alone."""
        digits = text.replace("-", "").lower()
        if not N_PREFIX_DIGITS <= len(digits) <= N_UUID_DIGITS:
            raise ValidationError(f"Expected {N_PREFIX_DIGITS} to {N_UUID_DIGITS} hexadecimal digits.")
        return digits


def order_of(asked: dict[str, Any]) -> Order:
    """The order that a checked ListQuery names, or the one in which an index finds what it asks for."""
    is_due = asked.get("overdue") or "due_before" in asked
    order = ORDERS[asked["ordering"]] if "ordering" in asked else DUE_FIRST if is_due else NEWEST_FIRST
    return NEWEST_IN_STATE if order is NEWEST_FIRST and len(set(asked.get("state", ()))) == 1 else order


def rows_of(asked: dict[str, Any]) -> QuerySet[DeletionRequest]:
    """The requests of a checked ListQuery. What is large in a row, and not listed, stays in the database."""
    rows = queries.listing().filter(_wanted(asked)).defer("deadlines", "scope")
    order = order_of(asked)
    if order is NEWEST_IN_STATE:
        return in_state(rows, asked["state"][0])
    if "state" in asked:
        rows = rows.filter(state__in=asked["state"])
    return rows.filter(closed_at=None) if order is DUE_FIRST else rows


def _wanted(asked: dict[str, Any]) -> Q:
    wanted = Q()
    for name in ("channel", "regulation"):
        if name in asked:
            wanted &= Q(**{name: asked[name]})
    if asked.get("overdue"):
        wanted &= Q(closed_at=None, due_date__lt=localdate())
    if "due_before" in asked:
        wanted &= Q(closed_at=None, due_date__lt=asked["due_before"])
    if "id_prefix" in asked:
        wanted &= _begins(asked["id_prefix"])
    return wanted


def _begins(digits: str) -> Q:
    # As a range of ids, which the primary key answers.
    first, last = (uuid.UUID(digits.ljust(N_UUID_DIGITS, filler)) for filler in "0f")
    return Q(pk__gte=first, pk__lte=last)
