"""When the identifying half of a request is destroyed: the two halves of a request are kept for different times.

The half that names the person goes `IDENTITY_RETENTION_DAYS` after the request is closed: until then a person who
complains (Art. 77 GDPR) or answers a letter can be told what became of the request. Where nobody proved who they are it
goes at once: the address may belong to somebody who never asked. The half that shows what was decided and done stays
(Art. 5(2) GDPR; for the CCPA at least 24 months, section 7101 of its regulations).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db.models import Case, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value, When

from compliance.requests.models import UNPROVEN, DeletionRequest, Letter, RequestLink
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import RequestState

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Scheduled(TypedDict):
    """What `schedule` knows beside a request's columns."""

    shred_at: datetime


def is_unproven(request: DeletionRequest) -> bool:
    """Whether `UNPROVEN` holds for this closed request."""
    is_unshown = request.state == RequestState.WITHDRAWN and request.identity_level == 0
    return is_unshown or request.state == RequestState.CLOSED_UNVERIFIED


def schedule() -> QuerySet[WithAnnotations[DeletionRequest, Scheduled]]:
    """Closed requests whose identity is still held, with `shred_at` (UTC), the next to be shredded first.

    A request can be later than its time: see `due`.
    """
    later = ExpressionWrapper(F("closed_at") + Value(_kept()), output_field=DateTimeField())
    shred_at = Case(When(UNPROVEN, then=F("closed_at")), default=later, output_field=DateTimeField())
    held = DeletionRequest.objects.filter(closed_at__isnull=False, is_shredded=False)
    return held.annotate(shred_at=shred_at).order_by("shred_at", "id")


def due(now: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Those to be shredded now. A letter that is not sent, and an open request that is linked to it (such as a
    complaint about it), keep a request longer."""
    unsent = Letter.objects.filter(request=OuterRef("pk"), sent_at=None, n_tries__lt=MAIL_TRIES)
    needed = RequestLink.objects.filter(linked=OuterRef("pk"), request__closed_at=None)
    rows = schedule().exclude(Exists(unsent)).exclude(Exists(needed))
    # Two queries, on the column itself: each is a stretch of an index in its order, the sum or an OR of both is not.
    found = {
        row
        for is_over in (Q(closed_at__lte=now - _kept()), UNPROVEN & Q(closed_at__lte=now))
        for row in rows.filter(is_over).order_by("closed_at", "id").values_list("shred_at", "pk")[:limit]
    }
    return [pk for _, pk in sorted(found)[:limit]]


def _kept() -> timedelta:
    return timedelta(days=settings.IDENTITY_RETENTION_DAYS)
