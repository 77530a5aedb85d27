"""Staff are told by mail which answers are due soon or overdue: one mail a round, once for each stage of a request.

The mail names requests by their ids alone. What is overdue goes to those whom it is escalated to as well, and is an
error in the log, so that monitoring sees it without a mailbox.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from compliance.requests import reminding
from compliance.requests.deadlines import ReminderKind
from compliance.requests.models import Reminder
from compliance.requests.reminding import Due

logger = logging.getLogger(__name__)


@transaction.atomic
def remind_staff(now: datetime) -> int:
    """Tell what is due; how many requests that were. No ledger entry: nothing happens to a request.

    Raises what the mail server raises; nothing counts as told then, and the next round tells it.
    """
    found = reminding.due(now)
    new = [each for each in found if _remember(each, now)]
    for each in new:
        if each.kind == ReminderKind.OVERDUE:
            logger.error("OVERDUE request %s: an answer was due on %s", each.request.pk, each.request.due_date)
    _mail(settings.STAFF_EMAILS, new)
    _mail(settings.ESCALATION_EMAILS, [each for each in new if each.kind == ReminderKind.OVERDUE])
    return len(new)


def _remember(each: Due, now: datetime) -> bool:
    # Of two sweeps at once, the second waits here for the first, and finds it told.
    _, is_new = Reminder.objects.get_or_create(
        request=each.request, kind=each.kind, due_date=each.request.due_date, defaults={"sent_at": now}
    )
    return is_new


def _mail(to: Sequence[str], told: Sequence[Due]) -> None:
    if not to or not told:
        return
    text = render_to_string("staff/reminder.txt", {"told": told, "portal": settings.PORTAL_ADDRESS})
    subject, _, body = text.strip().partition("\n")
    EmailMessage(subject=subject, body=body.strip() + "\n", to=list(to)).send()
