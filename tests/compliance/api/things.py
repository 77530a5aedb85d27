"""What addresses of the API can name beside requests and models."""

import uuid

from compliance.outbound.models import Delivery, DeliveryStatus
from tests.compliance.outbound import hooks


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
