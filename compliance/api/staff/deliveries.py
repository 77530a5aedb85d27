"""What was sent to other systems, what was given up, and sending it again.

Next: compliance/outbound/queries.py
"""

import uuid
from typing import Any

from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import NoMembers, read, read_query
from compliance.api.permissions import acting_as
from compliance.api.schema import described
from compliance.api.staff.webhook_serializers import (
    AlarmsSerializer,
    DeliveriesQuery,
    DeliveriesSerializer,
    DeliverySerializer,
    deliveries_of,
)
from compliance.api.staff.webhooks import MANAGERS
from compliance.ledger.actors import Role
from compliance.outbound import queries
from compliance.outbound.actions.redeliver import redeliver
from compliance.outbound.errors import InvalidWebhookError


class DeliveriesView(APIView):
    """The log of deliveries."""

    permission_classes = MANAGERS

    @described(
        "List deliveries",
        query=DeliveriesQuery,
        answers=DeliveriesSerializer,
        refusals=(400, 401, 403),
        answered=examples.DELIVERIES,
    )
    def get(self, request: Request) -> Response:
        """Newest first, 50 a page, with their tries."""
        asked = read_query(DeliveriesQuery, request)
        page = _page(asked)
        following = None
        if page.older_than is not None:
            following = replace_query_param(request.build_absolute_uri(), "cursor", page.older_than)
        return Response(DeliveriesSerializer({"next": following, "results": deliveries_of(page.rows)}).data)


class AlarmsView(APIView):
    """Deliveries that somebody should look at."""

    permission_classes = MANAGERS

    @described("List failed deliveries", answers=AlarmsSerializer, refusals=(401, 403), answered=examples.ALARMS)
    def get(self, request: Request) -> Response:
        """Given up, and neither sent again nor without a receiver since: the newest 100."""
        return Response(AlarmsSerializer({"results": deliveries_of(queries.alarms())}).data)


class RedeliverView(APIView):
    """A delivery that ended."""

    permission_classes = MANAGERS

    @described(
        "Deliver again",
        body=NoMembers,
        answers=DeliverySerializer,
        status=202,
        refusals=(400, 401, 403, 404, 409, 415),
        answered={**examples.DELIVERY, "status": "pending", "delivered_at": None},
    )
    def post(self, request: Request, delivery_id: uuid.UUID) -> Response:
        """Under the same id: a receiver that has it already can tell."""
        read(NoMembers, request)
        delivery = redeliver(delivery_id, actor=acting_as(request.user, Role.OPERATOR, Role.DPO))
        return Response(DeliverySerializer(deliveries_of([delivery])[0]).data, status=status.HTTP_202_ACCEPTED)


def _page(asked: dict[str, Any]) -> queries.Page:
    try:
        return queries.deliveries(
            webhook_id=asked.get("webhook"),
            request_id=asked.get("request"),
            status=asked.get("status"),
            older_than=asked.get("cursor"),
        )
    except (InvalidWebhookError, OverflowError, ValueError) as error:
        # A zone can push a time out of the calendar, where the database would meet it.
        raise ValidationError({"cursor": "Expected the cursor of a link that this API gave out."}) from error
