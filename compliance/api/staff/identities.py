"""Who asks: staff confirm it with their own eyes, and a DPO can read it, which the ledger keeps.

Next: compliance/requests/actions/unveil.py
"""

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import one_of, read
from compliance.api.clients.scopes import IDENTITIES, REQUESTS
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.serializers import RequestSerializer
from compliance.identity.methods.manual import Means
from compliance.ledger.actors import Role
from compliance.requests.actions.confirm_identity_manually import confirm_identity_manually
from compliance.requests.actions.unveil import UnveilingReason, unveil

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)


class ConfirmBody(serializers.Serializer[Any]):
    """How the identity was checked. No copy is kept, and no remark."""

    means = one_of(Means)


class UnveilBody(serializers.Serializer[Any]):
    """Why somebody has to know who it is."""

    reason = one_of(UnveilingReason)


class UnveiledSerializer(serializers.Serializer[Any]):
    """The identifier in clear."""

    identifier = serializers.CharField()


class ConfirmView(APIView):
    """A proof that staff have seen."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "Confirm the identity",
        body=ConfirmBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        sent={"means": "video_call"},
        answered=examples.REQUEST,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The means give the level; once it is enough, the request is under review."""
        means = read(ConfirmBody, request)["means"]
        confirmed = confirm_identity_manually(request_id, actor=acting_as(request.user, *_STAFF), means=means)
        return Response(RequestSerializer(confirmed).data)


class UnveilView(APIView):
    """The identity."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=IDENTITIES))

    @described(
        "Unveil the identity",
        body=UnveilBody,
        answers=UnveiledSerializer,
        refusals=_REFUSALS,
        sent={"reason": "correspondence"},
        answered=examples.UNVEILED,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The identifier in clear. Each time is an entry of the ledger, with the reason. DPO alone."""
        reason = read(UnveilBody, request)["reason"]
        identifier = unveil(request_id, actor=acting_as(request.user, Role.DPO), reason=reason)
        return Response(UnveiledSerializer({"identifier": identifier}).data)
