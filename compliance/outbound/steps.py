"""The only writer of a delivery's status. Every step is a conditional UPDATE: of two workers, one wins.

A try is claimed by counting it and moving `next_try_at` ahead. Until then the try is one worker's own; a worker that
dies leaves the delivery to be due again. Whoever writes expects both columns to be as it left them.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from compliance.outbound import catalogue, pace
from compliance.outbound.errors import NotFoundError, StateError
from compliance.outbound.exchange import MOST_SECONDS, Outcome
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus, Failure
from compliance.requests.dispatch import after_commit

#: How long a try is one worker's: far longer than it can take.
LEASE = timedelta(seconds=4 * MOST_SECONDS)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The right to one try, with the delivery as it was claimed: its `n_tries` counts the try."""

    delivery: Delivery
    attempt: DeliveryAttempt


def create(kind: str, subject_id: uuid.UUID, url: str) -> Delivery:
    """A delivery that is sent once the surrounding transaction has committed; raises KindError.

    The URL is judged where it is taken in (`endpoints.parse`), and before each try. Not here: what the operator allows
    may have changed since, and no change of a request may fail because of that.
    """
    catalogue.find(kind)
    now = datetime.now(tz=UTC)
    delivery = Delivery.objects.create(
        kind=kind,
        subject_id=subject_id,
        url=url,
        next_try_at=now,
        give_up_at=now + pace.GIVE_UP_AFTER,
        created_at=now,
    )
    after_commit("deliver", delivery.pk)
    return delivery


@transaction.atomic
def claim(delivery_id: uuid.UUID) -> Claim | None:
    """The next try of a delivery that is due; None when there is none to make, or another worker makes it."""
    now = datetime.now(tz=UTC)
    delivery = Delivery.objects.filter(pk=delivery_id, status=DeliveryStatus.PENDING, next_try_at__lte=now).first()
    if delivery is None:
        return None
    if _unchanged(delivery).update(n_tries=delivery.n_tries + 1, next_try_at=now + LEASE) != 1:
        return None
    delivery.refresh_from_db()
    attempt = DeliveryAttempt.objects.create(delivery=delivery, at=now, failure=Failure.NO_RECORD)
    return Claim(delivery, attempt)


@transaction.atomic
def record(claim: Claim, outcome: Outcome) -> bool:
    """Write what came of a try, and what follows; False when the delivery is another worker's by now."""
    now = datetime.now(tz=UTC)
    DeliveryAttempt.objects.filter(pk=claim.attempt.pk).update(
        status_code=outcome.status_code, failure=outcome.failure or "", duration_ms=outcome.duration_ms
    )
    changes = _changes(claim, outcome, now)
    if _unchanged(claim.delivery).update(**changes) != 1:
        return False
    claim.delivery.refresh_from_db()
    _tell_the_kind(claim.delivery)
    return True


@transaction.atomic
def reopen(delivery_id: uuid.UUID) -> Delivery:
    """Begin a delivery that ended anew, with the same id; raises NotFoundError, and StateError while it is pending."""
    delivery = Delivery.objects.select_for_update(no_key=True).filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFoundError(f"There is no delivery {delivery_id}.")
    if delivery.status == DeliveryStatus.PENDING:
        raise StateError("The delivery is pending: it is tried again by itself.")
    now = datetime.now(tz=UTC)
    fresh = {"n_tries": 0, "next_try_at": now, "give_up_at": now + pace.GIVE_UP_AFTER}
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DeliveryStatus.PENDING, delivered_at=None, alarmed_at=None, **fresh
    )
    delivery.refresh_from_db()
    after_commit("deliver", delivery.pk)
    return delivery


def end_alarms(kind: str, subject_ids: QuerySet[Any, uuid.UUID]) -> None:
    """Nobody has to look any more at deliveries of this kind and these subjects (a query for their ids)."""
    Delivery.objects.filter(kind=kind, subject_id__in=subject_ids, alarmed_at__isnull=False).update(alarmed_at=None)


def _unchanged(delivery: Delivery) -> QuerySet[Delivery]:
    """The row, if nobody wrote it since it was read."""
    return Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, n_tries=delivery.n_tries, next_try_at=delivery.next_try_at
    )


def _changes(claim: Claim, outcome: Outcome, now: datetime) -> dict[str, object]:
    if outcome.is_success:
        return {"status": DeliveryStatus.DELIVERED, "delivered_at": now, "next_try_at": None}
    ended: dict[str, object] = {"status": DeliveryStatus.GAVE_UP, "next_try_at": None}
    if outcome.failure == Failure.NOT_WANTED:
        return ended
    is_last = outcome.is_gone or outcome.failure == Failure.TRIES_USED_UP
    wish = pace.retry_after(outcome.retry_after, now) if outcome.status_code in pace.BUSY else None
    again = None if is_last else pace.next_try_at(claim.delivery.n_tries, now, claim.delivery.give_up_at, wish)
    return {**ended, "alarmed_at": now} if again is None else {"next_try_at": again}


def _tell_the_kind(delivery: Delivery) -> None:
    # A kind whose file was taken away can render nothing, and is told nothing.
    kind = catalogue.discover().get(delivery.kind)
    if delivery.status == DeliveryStatus.DELIVERED:
        if kind is not None:
            kind.on_delivered(delivery)
        logger.info("delivery %s (%s): delivered at try %d", delivery.pk, delivery.kind, delivery.n_tries)
    elif delivery.status == DeliveryStatus.GAVE_UP:
        if kind is not None:
            kind.on_gave_up(delivery)
        _tell_the_end(delivery)


def _tell_the_end(delivery: Delivery) -> None:
    if delivery.alarmed_at is None:
        logger.info("delivery %s (%s): nobody wants it any more", delivery.pk, delivery.kind)
        return
    logger.error(
        "DELIVERY ALARM. %s (%s): given up after %d tries. See its tries, and send it again once the receiver works.",
        delivery.pk,
        delivery.kind,
        delivery.n_tries,
    )
