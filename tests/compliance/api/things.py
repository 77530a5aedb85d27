"""What addresses of the API can name beside requests and models."""

import uuid
from datetime import UTC, datetime

from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role
from compliance.outbound.models import Delivery, DeliveryStatus
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Notice
from compliance.registry.models import RegisteredModel
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.outbound import hooks

ERIKA = f"erika.{cast.MARK}@example.org"


def webhook() -> uuid.UUID:
    """A webhook of Bob's."""
    return hooks.hook("https://receiver.example/hook").webhook.pk


def ended_delivery() -> uuid.UUID:
    """A delivery that was given up."""
    delivery = hooks.owed("https://receiver.example/hook")
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.GAVE_UP, alarmed_at=hooks.WHEN)
    return delivery.pk


def ended_delivery_of_another() -> uuid.UUID:
    """A delivery that was given up, of another webhook than `webhook`."""
    hooks.hook("https://other.example/hook", name="other")
    delivery = hooks.happens()[0]
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.GAVE_UP, alarmed_at=hooks.WHEN)
    return delivery.pk


def recipient() -> uuid.UUID:
    """Whoever was given a model, told by letter."""
    if not RegisteredModel.objects.filter(name="spam-filter").exists():
        cast.model_of("spam-filter", cast.ALICE)
    return register_recipient("Fabrikam SAS", Details(models=("spam-filter",)), actor=SYSTEM).pk


def owed_notice() -> uuid.UUID:
    """What a recipient is owed about Erika's request, which waits for sign-off; there is no address."""
    return _owed("")


def given_up_notice() -> uuid.UUID:
    """The same, to an address where delivery was given up."""
    notice = _owed("https://fabrikam.example/erasure")
    Delivery.objects.filter(subject_id=notice).update(status=DeliveryStatus.GAVE_UP, alarmed_at=hooks.WHEN)
    return notice


def told_notice() -> uuid.UUID:
    """A notice that staff gave by letter, and that nobody answered."""
    notice = owed_notice()
    bob = actors.staff(cast.bob(), Role.OPERATOR)
    record_told(notice, actor=bob, told_date=datetime.now(tz=UTC).date())
    return notice


def _owed(url: str) -> uuid.UUID:
    cast.model_of("churn", ERIKA)
    request = cast.brought_to(RequestState.SIGNOFF, ERIKA).request
    register_recipient("Northwind", Details(models=("churn",), url=url), actor=SYSTEM)
    return Notice.objects.get(request=request, recipient__name="Northwind").pk
