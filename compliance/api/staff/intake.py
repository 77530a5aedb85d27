"""The list of requests, and one that is taken in on behalf of a person who called, wrote or came by.

Next: compliance/intake/receiving.py
"""

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples, idempotency
from compliance.api.bodies import read, read_query
from compliance.api.clients.scopes import REQUESTS
from compliance.api.pagination import page_of
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.listing import ListQuery, order_of, rows_of
from compliance.api.staff.serializers import PageSerializer
from compliance.api.subjects.serializers import SubmitBody, SubmittedSerializer, submission
from compliance.api.subjects.views import received
from compliance.intake.receiving import once
from compliance.ledger.actors import Role
from compliance.requests.actions.submit import submit
from compliance.requests.models import Channel

_STAFF = (Role.OPERATOR, Role.DPO)


class RequestsView(APIView):
    """All requests."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "List requests",
        query=ListQuery,
        answers=PageSerializer,
        refusals=(400, 401, 403),
        answered=examples.PAGE,
    )
    def get(self, request: Request) -> Response:
        """50 a page, newest first or by due date; every filter that is named holds."""
        asked = read_query(ListQuery, request)
        page = page_of(rows_of(asked), request, asked.get("cursor"), order_of(asked))
        return Response(PageSerializer(page).data)

    @described(
        "Take a request in",
        body=SubmitBody,
        answers=SubmittedSerializer,
        status=201,
        refusals=(400, 401, 403, 415),
        sent={"identifier": {"kind": "email", "value": "name@example.org"}, "locale": "de"},
        answered=examples.RECEIPT,
        takes_key=True,
    )
    def post(self, request: Request) -> Response:
        """On behalf of the person. The status token is in this answer alone: hand it over, or do not keep it."""
        actor, asked = acting_as(request.user, *_STAFF), read(SubmitBody, request)
        submitted = once(
            idempotency.asked(request, f"taken in by {actor.id}", asked),
            lambda: submit(**submission(asked), channel=Channel.PORTAL),
        )
        return received(submitted)
