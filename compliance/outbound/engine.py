"""Delivers one message: claim a try, make the message, send it, write what came of it. At least once, one at a time.

Nothing is held while the network is asked: the claim is committed before, the result after. Whoever dies in between
leaves a try without a record, and the same message goes out again under the same id.

Next: compliance/outbound/steps.py
"""

import logging
import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from compliance.outbound import catalogue, exchange, pace, steps
from compliance.outbound.exchange import Outcome
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus, Failure

#: A sweep sends so many to one address, so that a long queue for one keeps those of others waiting only for a moment.
DUE_PER_ADDRESS = 20
#: An address that could not be reached is left alone for so long, or what waits for it would occupy every worker.
REST = timedelta(minutes=1)
_UNREACHED = frozenset({Failure.TIMED_OUT, Failure.NO_CONNECTION, Failure.NAME_UNKNOWN, Failure.TLS_FAILED})
logger = logging.getLogger(__name__)


def deliver(delivery_id: uuid.UUID) -> None:
    """Make one try, if one is due, no other worker makes it, and its address does not rest. Twice is as good as once."""
    resting = _resting(datetime.now(tz=UTC))
    if resting and Delivery.objects.filter(pk=delivery_id, url__in=resting).exists():
        return
    claim = steps.claim(delivery_id)
    if claim is None:
        return
    if not steps.record(claim, _outcome(claim)):
        logger.warning("delivery %s: another worker took it over; both may have sent it", delivery_id)


def due(now: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Deliveries whose next try is due, those tried least first. Fresh ones are on their way for a moment."""
    is_lost = Q(n_tries__gt=0) | Q(created_at__lt=now - settings.SWEEP_GRACE)
    waiting = Delivery.objects.filter(is_lost, status=DeliveryStatus.PENDING, next_try_at__lte=now)
    place = Window(RowNumber(), partition_by=F("url"), order_by=[F("next_try_at"), F("pk")])
    first = waiting.exclude(url__in=_resting(now)).annotate(place=place).filter(place__lte=DUE_PER_ADDRESS)
    return list(first.order_by("n_tries", "next_try_at", "pk").values_list("pk", flat=True)[:limit])


def _resting(now: datetime) -> set[str]:
    """The addresses whose last try within REST reached nobody."""
    tries = DeliveryAttempt.objects.filter(at__gt=now - REST).exclude(failure=Failure.NO_RECORD)
    last = dict(tries.order_by("pk").values_list("delivery__url", "failure"))
    return {url for url, failure in last.items() if failure in _UNREACHED}


def _outcome(claim: steps.Claim) -> Outcome:
    delivery = claim.delivery
    if delivery.n_tries > pace.MAX_TRIES:
        return Outcome(failure=Failure.TRIES_USED_UP)
    try:
        kind = catalogue.find(delivery.kind)
        if not kind.is_wanted(delivery):
            return Outcome(failure=Failure.NOT_WANTED)
        message = kind.render(delivery)
    except Exception as error:  # noqa: BLE001  whatever a kind raises; its message may quote anything
        logger.error("delivery %s (%s): not rendered (%s)", delivery.pk, delivery.kind, type(error).__name__)
        return Outcome(failure=Failure.NOT_RENDERED)
    return exchange.send(delivery.url, message)
