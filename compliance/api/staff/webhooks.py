"""Webhooks: who is told when requests change state.

Next: compliance/outbound/actions/create_webhook.py
"""

import uuid

from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import NoMembers, read
from compliance.api.clients.scopes import WEBHOOKS
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.webhook_serializers import (
    DeliverySerializer,
    NewWebhookSerializer,
    SecretSerializer,
    WebhookBody,
    WebhookSerializer,
    WebhooksSerializer,
    deliveries_of,
)
from compliance.ledger.actors import Role
from compliance.outbound import queries
from compliance.outbound.actions.create_webhook import create_webhook
from compliance.outbound.actions.deactivate import deactivate
from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.actions.send_test import send_test

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)
MANAGERS = (IsAuthenticated, any_of(*_STAFF, area=WEBHOOKS))


class WebhooksView(APIView):
    """All webhooks."""

    permission_classes = MANAGERS

    @described("List webhooks", answers=WebhooksSerializer, refusals=(401, 403), answered=examples.WEBHOOKS)
    def get(self, request: Request) -> Response:
        """By name, those that were disabled, too."""
        return Response(WebhooksSerializer({"webhooks": queries.webhooks()}).data)

    @described(
        "Create a webhook",
        body=WebhookBody,
        answers=NewWebhookSerializer,
        status=201,
        refusals=(400, 401, 403, 415),
        sent={"name": "crm", "url": "https://crm.example/hooks/expunge", "event_types": ["request.completed"]},
        answered=examples.NEW_WEBHOOK,
    )
    def post(self, request: Request) -> Response:
        """Its secret is in this answer alone."""
        asked = read(WebhookBody, request)
        actor = acting_as(request.user, *_STAFF)
        made = create_webhook(asked["name"], asked["url"], asked["event_types"], actor=actor)
        shown = {"webhook": made.webhook, "n_pending": 0, "n_alarms": 0, "secret": made.secret}
        return Response(NewWebhookSerializer(shown).data, status=status.HTTP_201_CREATED)


class WebhookView(APIView):
    """One webhook."""

    permission_classes = MANAGERS

    @described("See one webhook", answers=WebhookSerializer, refusals=(401, 403, 404), answered=examples.WEBHOOK)
    def get(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Whom it tells of what, and how its deliveries stand."""
        return Response(WebhookSerializer(queries.webhook(webhook_id)).data)


class RotateView(APIView):
    """A new secret."""

    permission_classes = MANAGERS

    @described(
        "Rotate the secret", body=NoMembers, answers=SecretSerializer, refusals=_REFUSALS, answered=examples.SECRET
    )
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """It is in this answer alone; the one before signs beside it for a day."""
        read(NoMembers, request)
        secret = rotate_secret(webhook_id, actor=acting_as(request.user, *_STAFF))
        return Response(SecretSerializer({"secret": secret}).data)


class TrialView(APIView):
    """A message to try a webhook out with."""

    permission_classes = MANAGERS

    @described(
        "Try a webhook out",
        body=NoMembers,
        answers=DeliverySerializer,
        status=202,
        refusals=_REFUSALS,
        answered={**examples.DELIVERY, "event_type": "webhook.test", "request": None},
    )
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """A message of the type webhook.test is on its way; the log of deliveries shows what came of it."""
        read(NoMembers, request)
        delivery = send_test(webhook_id, actor=acting_as(request.user, *_STAFF))
        return Response(DeliverySerializer(deliveries_of([delivery])[0]).data, status=status.HTTP_202_ACCEPTED)


class DisableView(APIView):
    """The end of a webhook."""

    permission_classes = MANAGERS

    @described(
        "Disable a webhook",
        body=NoMembers,
        answers=WebhookSerializer,
        refusals=_REFUSALS,
        answered={**examples.WEBHOOK, "is_active": False},
    )
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """It is told nothing more, for good; what waits for it ends unsent, and its secrets are destroyed."""
        read(NoMembers, request)
        disabled = deactivate(webhook_id, actor=acting_as(request.user, *_STAFF))
        return Response(WebhookSerializer(queries.webhook(disabled.pk)).data)
