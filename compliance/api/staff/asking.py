"""What staff do around a decision: ask the person, settle the question, take more time once.

Next: compliance/requests/actions/ask_question.py
"""

import uuid

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import read
from compliance.api.clients.scopes import REQUESTS
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.serializers import ExtendBody, NotesSerializer, QuestionBody, RequestSerializer, SettleBody
from compliance.ledger.actors import Role
from compliance.requests import queries
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.ask_question import ask_question
from compliance.requests.actions.extend import extend

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)


class QuestionView(APIView):
    """A question to the person."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "Ask the person",
        body=QuestionBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"question": "Under which name did you write to us?"},
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Mailed to the person; the request waits for the answer, and the dates show the pause."""
        question = read(QuestionBody, request)["question"]
        asked = ask_question(request_id, actor=acting_as(request.user, *_STAFF), question=question)
        return Response(RequestSerializer(asked).data)


class AnswerView(APIView):
    """An answer that came another way, or the decision to go on without one."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described(
        "Settle the question",
        body=SettleBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"answer": "Answered by telephone."},
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The request is under review again."""
        answer = read(SettleBody, request)["answer"]
        answered = answer_question(request_id, actor=acting_as(request.user, *_STAFF), answer=answer)
        return Response(RequestSerializer(answered).data)


class ExtendView(APIView):
    """More time."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=REQUESTS))

    @described(
        "Extend the period",
        body=ExtendBody,
        answers=RequestSerializer,
        refusals=_REFUSALS,
        answered=examples.REQUEST,
        sent={"reason": "complexity"},
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Once, within the first period. The date moves when the notice to the person has gone out. DPO alone."""
        reason = read(ExtendBody, request)["reason"]
        extended = extend(request_id, actor=acting_as(request.user, Role.DPO), reason=reason)
        return Response(RequestSerializer(extended).data)


class NotesView(APIView):
    """What was asked, answered, reported and given as reasons, in words."""

    permission_classes = (IsAuthenticated, any_of(*_STAFF, area=REQUESTS))

    @described("Read the notes", answers=NotesSerializer, refusals=(401, 403, 404), answered=examples.NOTES)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """In the order they were written. They may name the person, and are shredded with the request."""
        return Response(NotesSerializer({"notes": queries.notes(request_id)}).data)
