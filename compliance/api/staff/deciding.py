"""What staff decide. Each endpoint calls the action of its name; states, roles and four eyes are checked there too.

Next: compliance/requests/actions/
"""

import uuid

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import NoMembers, read
from compliance.api.clients.scopes import REQUESTS
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.serializers import ApproveBody, RefuseBody, RequestSerializer
from compliance.ledger.actors import Role
from compliance.requests.actions.approve import approve
from compliance.requests.actions.refuse import refuse
from compliance.requests.actions.retry import retry
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.actions.withdraw import withdraw

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)


class ApproveView(APIView):
    """The decision to erase."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=REQUESTS))

    @described(
        "Approve",
        body=ApproveBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"ground": "art17_1_b"},
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Freeze the scope and let the work begin. DPO alone."""
        ground = read(ApproveBody, request)["ground"]
        approved = approve(request_id, actor=acting_as(request.user, Role.DPO), ground=ground)
        return Response(RequestSerializer(approved).data)


class RefuseView(APIView):
    """The decision not to erase."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=REQUESTS))

    @described(
        "Refuse",
        body=RefuseBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"reason": "art17_3_b"},
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The person is told the reason and where to complain. DPO alone."""
        said = read(RefuseBody, request)
        actor = acting_as(request.user, Role.DPO)
        refused = refuse(request_id, actor=actor, reason=said["reason"], words=said.get("words", ""))
        return Response(RequestSerializer(refused).data)


class RetryView(APIView):
    """Work that failed."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described("Retry", body=NoMembers, answers=RequestSerializer, refusals=_REFUSALS, answered=examples.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """A new job for each model whose job failed or was inconclusive."""
        read(NoMembers, request)
        retried = retry(request_id, actor=acting_as(request.user, *_STAFF))
        return Response(RequestSerializer(retried).data)


class SignOffView(APIView):
    """The second signature."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described("Sign off", body=NoMembers, answers=RequestSerializer, refusals=_REFUSALS, answered=examples.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The verified versions go into service. Not by the person who decided.

        409 `scope_changed`: a model holds what nobody decided on; the request waits for a new approval instead.
        """
        read(NoMembers, request)
        completed = sign_off(request_id, actor=acting_as(request.user, *_STAFF))
        return Response(RequestSerializer(completed).data)


class WithdrawView(APIView):
    """A request taken back through staff."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described("Withdraw", body=NoMembers, answers=RequestSerializer, refusals=_REFUSALS, answered=examples.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """On the person's word, as long as nothing was decided."""
        read(NoMembers, request)
        withdrawn = withdraw(request_id, actor=acting_as(request.user, *_STAFF))
        return Response(RequestSerializer(withdrawn).data)
