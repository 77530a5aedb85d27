"""Whom time is running out for: open requests whose answer is due soon, or overdue, and was not pointed out yet.

Days are those of the controller's zone, and dates are the ones without pauses. The number of queries is constant.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from compliance.requests.calendars import local_date
from compliance.requests.deadlines import ReminderKind
from compliance.requests.models import DeletionRequest, Reminder

# Days that are left at most → what is said then. In this order: whoever is late is not told that a week is left.
_STAGES: tuple[tuple[int, ReminderKind], ...] = (
    (-1, ReminderKind.OVERDUE),
    (0, ReminderKind.DUE_TODAY),
    (3, ReminderKind.DUE_IN_3_DAYS),
    (7, ReminderKind.DUE_IN_7_DAYS),
    (14, ReminderKind.DUE_IN_14_DAYS),
)


@dataclass(frozen=True, kw_only=True)
class Due:
    """One request and what is to be said of it. `days_left` is negative once it is overdue."""

    request: DeletionRequest
    kind: ReminderKind
    days_left: int


def due(now: datetime, limit: int = 200) -> list[Due]:
    """The most urgent first; each request once for each stage and due date."""
    today = local_date(now, settings.TIME_ZONE)
    reminders = Reminder.objects.filter(request=OuterRef("pk"), due_date=OuterRef("due_date"))
    wanted, last = Q(), date.min
    for n_days, kind in _STAGES:
        until = today + timedelta(days=n_days)
        wanted |= Q(~Exists(reminders.filter(kind=kind)), due_date__gt=last, due_date__lte=until)
        last = until
    rows = DeletionRequest.objects.filter(wanted, closed_at=None, due_date__lte=last).defer("deadlines", "scope")
    return [_due(request, today) for request in rows.order_by("due_date", "id")[:limit]]


def _due(request: DeletionRequest, today: date) -> Due:
    days_left = (request.due_date - today).days
    kind = next(kind for n_days, kind in _STAGES if days_left <= n_days)
    return Due(request=request, kind=kind, days_left=days_left)
