"""What operators and DPOs read: one request with its work and its timeline, the scope before a decision."""

import uuid

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.clients.scopes import REQUESTS
from compliance.api.permissions import any_of
from compliance.api.schema import described
from compliance.api.staff.serializers import DetailSerializer, ScopeSerializer
from compliance.ledger.actors import Role
from compliance.requests import queries, scope

READERS = (IsAuthenticated, any_of(Role.OPERATOR, Role.DPO, area=REQUESTS))


class RequestView(APIView):
    """One request."""

    permission_classes = READERS

    @described("See one request", answers=DetailSerializer, refusals=(401, 403, 404), answered=examples.DETAIL)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """Targets, jobs, findings, evidence digests and the ledger's entries."""
        return Response(DetailSerializer(queries.detail(request_id)).data)


class ScopeView(APIView):
    """What the registered models hold of the person."""

    permission_classes = READERS

    @described("Preview the scope", answers=ScopeSerializer, refusals=(401, 403, 404, 409), answered=examples.SCOPE)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """Every registered model with the number of records; an approval freezes exactly this."""
        shares = scope.current(queries.detail(request_id))
        return Response(ScopeSerializer({"models": shares}).data)
