"""What operators and DPOs read: the list, one request with its work and its timeline, the scope before a decision."""

import uuid

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api.bodies import check
from compliance.api.pagination import NewestFirst
from compliance.api.permissions import any_of
from compliance.api.schema import described
from compliance.api.staff.serializers import (
    DetailSerializer,
    ListedRequestSerializer,
    ListQuery,
    PageSerializer,
    ScopeSerializer,
)
from compliance.ledger.actors import Role
from compliance.requests import queries, scope

READERS = (IsAuthenticated, any_of(Role.OPERATOR, Role.DPO))


class RequestsView(APIView):
    """All requests."""

    permission_classes = READERS

    @described("List requests", query=ListQuery, answers=PageSerializer, refusals=(400, 401, 403))
    def get(self, request: Request) -> Response:
        """Newest first, 50 a page; `state` keeps those in one state."""
        asked = check(ListQuery, request.query_params.dict())
        pages = NewestFirst()
        rows = pages.paginate_queryset(queries.listing(state=asked.get("state")), request, self)
        return pages.get_paginated_response(ListedRequestSerializer(rows, many=True).data)


class RequestView(APIView):
    """One request."""

    permission_classes = READERS

    @described("See one request", answers=DetailSerializer, refusals=(401, 403, 404))
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """Targets, jobs, findings, evidence digests and the ledger's entries."""
        return Response(DetailSerializer(queries.detail(request_id)).data)


class ScopeView(APIView):
    """What the registered models hold of the person."""

    permission_classes = READERS

    @described("Preview the scope", answers=ScopeSerializer, refusals=(401, 403, 404))
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """Every registered model with the number of records; an approval freezes exactly this."""
        shares = scope.current(queries.detail(request_id))
        return Response(ScopeSerializer({"models": shares}).data)
