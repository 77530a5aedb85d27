"""People who were asked for a proof of identity and do not answer: whom to remind, and which requests to close.

Reads only. Days are those of the controller's time zone. A mail counts as given once it went out, or once it was tried
so often that it is given up: an address that cannot be reached keeps no request open.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from compliance.requests.calendars import local_date
from compliance.requests.models import Channel, DeletionRequest, Letter, SubjectVault
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import RequestState

REMIND_AFTER = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Silent:
    """What a sweep does: each list in the order in which the people wait."""

    to_remind: list[uuid.UUID]
    to_close: list[uuid.UUID]


def silent(now: datetime, limit: int = 100) -> Silent:
    """At most `limit` of each kind, one for each address: one that is sent too much holds up nobody else."""
    # Open, as the state says already: so that databases read those alone.
    pending = DeletionRequest.objects.filter(state=RequestState.IDENTITY_PENDING, closed_at=None)
    unreminded = pending.exclude(channel=Channel.OPENDSR).filter(~Exists(_reminders()))
    to_remind = _asked_before(unreminded, now - REMIND_AFTER)
    received_before = now - timedelta(days=settings.IDENTITY_CLOSE_DAYS - 1)
    is_over = Q(due_date__lte=today(now)) | Q(received_at__lte=received_before)
    to_close = _reminded(pending.filter(is_over))
    return Silent(
        to_remind=[row.pk for row in _first_of_each_address(to_remind)[:limit]],
        to_close=[row.pk for row in _first_of_each_address(to_close)[:limit] if closing_date(row) <= today(now)],
    )


def is_silent(request: DeletionRequest, now: datetime) -> bool:
    """Whether the person was asked more than a day ago and nothing happened since."""
    return _asked_before(DeletionRequest.objects.filter(pk=request.pk), now - REMIND_AFTER).exists()


def is_reminded(request: DeletionRequest) -> bool:
    """Whether no reminder is waited for any more: it was given, or another controller writes to the person."""
    return _reminded(DeletionRequest.objects.filter(pk=request.pk)).exists()


def closing_date(request: DeletionRequest) -> date:
    """The last day for a proof: so many days after receipt, and never later than the answer is due."""
    received_date = local_date(request.received_at, settings.TIME_ZONE)
    return min(received_date + timedelta(days=settings.IDENTITY_CLOSE_DAYS), request.due_date)


def today(now: datetime) -> date:
    """The day of this moment where the controller is."""
    return local_date(now, settings.TIME_ZONE)


def _first_of_each_address(requests: QuerySet[DeletionRequest]) -> QuerySet[DeletionRequest]:
    # A subquery and not a join: databases then read the few requests first, and their vaults after.
    address = Subquery(SubjectVault.objects.filter(request=OuterRef("pk")).values("pseudonym"))
    place = Window(RowNumber(), partition_by=address, order_by=[F("received_at"), F("pk")])
    found = requests.only("received_at", "due_date").annotate(place=place)
    return found.filter(place=1).order_by("received_at", "pk")


def _asked_before(requests: QuerySet[DeletionRequest], at: datetime) -> QuerySet[DeletionRequest]:
    is_answered = Q(challenge__isnull=True)
    is_given_up = Q(challenge__sent_at=None, challenge__n_tries__gte=MAIL_TRIES)
    return requests.filter(changed_at__lt=at).filter(is_answered | is_given_up | Q(challenge__sent_at__lt=at))


def _reminders() -> QuerySet[Letter]:
    return Letter.objects.filter(request=OuterRef("pk"), kind=Letter.Kind.IDENTITY_REMINDER)


def _reminded(requests: QuerySet[DeletionRequest]) -> QuerySet[DeletionRequest]:
    is_given = Q(sent_at__isnull=False) | Q(n_tries__gte=MAIL_TRIES)
    return requests.filter(Q(channel=Channel.OPENDSR) | Exists(_reminders().filter(is_given)))
