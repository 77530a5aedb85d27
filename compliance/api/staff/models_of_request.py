"""What staff decide about single models of a request: exceptions of law, and holds.

Next: compliance/requests/actions/except_model.py
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
from compliance.api.staff.serializers import ExceptBody, HoldBody, RequestSerializer
from compliance.ledger.actors import Role
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.hold_model import hold_model
from compliance.requests.actions.include_model import include_model
from compliance.requests.actions.release_model import release_model

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)


class ExceptView(APIView):
    """A refusal for one model."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=REQUESTS))

    @described(
        "Except a model",
        body=ExceptBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"reason": "art17_3_e", "words": "The records are evidence in a pending suit."},
    )
    def post(self, request: Request, request_id: uuid.UUID, model_id: uuid.UUID) -> Response:
        """The model keeps what it holds of the person, who is told why. Before the approval. DPO alone."""
        said = read(ExceptBody, request)
        actor = acting_as(request.user, Role.DPO)
        changed = except_model(request_id, actor=actor, model_id=model_id, reason=said["reason"], words=said["words"])
        return Response(RequestSerializer(changed).data)


class IncludeView(APIView):
    """An exception taken back."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=REQUESTS))

    @described(
        "Include a model", body=NoMembers, answers=RequestSerializer, refusals=_REFUSALS, answered=examples.REQUEST
    )
    def post(self, request: Request, request_id: uuid.UUID, model_id: uuid.UUID) -> Response:
        """The model is to forget the person after all. Before the approval. DPO alone."""
        read(NoMembers, request)
        changed = include_model(request_id, actor=acting_as(request.user, Role.DPO), model_id=model_id)
        return Response(RequestSerializer(changed).data)


class HoldView(APIView):
    """A model that must stay as it is for now."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "Hold a model",
        body=HoldBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"reason": "restriction_art18"},
    )
    def post(self, request: Request, request_id: uuid.UUID, model_id: uuid.UUID) -> Response:
        """The request waits for this model until the hold is lifted."""
        reason = read(HoldBody, request)["reason"]
        changed = hold_model(request_id, actor=acting_as(request.user, *_STAFF), model_id=model_id, reason=reason)
        return Response(RequestSerializer(changed).data)


class ReleaseView(APIView):
    """A hold lifted."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "Release a model", body=NoMembers, answers=RequestSerializer, refusals=_REFUSALS, answered=examples.REQUEST
    )
    def post(self, request: Request, request_id: uuid.UUID, model_id: uuid.UUID) -> Response:
        """Where the request was planned already, the model gets its job at once."""
        read(NoMembers, request)
        changed = release_model(request_id, actor=acting_as(request.user, *_STAFF), model_id=model_id)
        return Response(RequestSerializer(changed).data)
