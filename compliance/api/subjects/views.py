"""What a data subject can do: ask, look, prove the address, take the request back.

Next: compliance/requests/actions/submit.py
"""

import uuid

from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from compliance.api import examples, idempotency
from compliance.api.authentication import SubjectAuthentication, opened
from compliance.api.bodies import NoMembers, read
from compliance.api.schema import described
from compliance.api.subjects.serializers import (
    AnswerBody,
    CodeBody,
    ComplaintBody,
    StatusSerializer,
    SubmitBody,
    SubmittedSerializer,
    receipt,
    status_of,
    submission,
)
from compliance.intake.receiving import once
from compliance.ledger.actors import subject_of
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.ask_for_code import ask_for_code
from compliance.requests.actions.complain import complain
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.actions.withdraw import withdraw
from compliance.requests.models import Channel

_ASKED_FOR = {"identifier": {"kind": "email", "value": "name@example.org"}, "ground": "art17_1_b", "regulation": "gdpr"}


def received(submitted: Submitted) -> Response:
    """201 with the receipt, and where the request is."""
    answer = receipt(submitted)
    return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": answer["links"]["self"]})


class SubmitView(APIView):
    """New requests. Anyone may ask; who asked is proven afterwards."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "submit"

    @described(
        "Ask for deletion",
        body=SubmitBody,
        answers=SubmittedSerializer,
        status=201,
        refusals=(400, 415, 429),
        sent=_ASKED_FOR,
        answered=examples.RECEIPT,
        takes_key=True,
    )
    def post(self, request: Request) -> Response:
        """Receive a request. A code is mailed to the address; the status token is in this answer alone."""
        asked = read(SubmitBody, request)
        submitted = once(
            idempotency.asked(request, "submit", asked), lambda: submit(**submission(asked), channel=Channel.API)
        )
        return received(submitted)


class StatusView(APIView):
    """One request, for whoever holds its status token."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "status"

    @described("See how far it is", answers=StatusSerializer, refusals=(401, 404, 429), answered=examples.STATUS)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """State, dates and reasons."""
        return Response(StatusSerializer(status_of(opened(request))).data)


class IdentityView(APIView):
    """The proof that the address is the person's."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "identity"

    @described(
        "Prove the address",
        body=CodeBody,
        answers=StatusSerializer,
        refusals=(400, 401, 404, 409, 415, 429),
        sent={"code": "0123456789"},
        answered=examples.STATUS,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Enter the code from the e-mail. Five wrong tries use it up; a fresh one can be asked for."""
        code = read(CodeBody, request)["code"]
        confirmed = confirm_identity(request_id, actor=subject_of(request_id), code=code)
        return Response(StatusSerializer(status_of(confirmed)).data)


class IdentityCodeView(APIView):
    """A fresh code."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "identity_code"

    @described(
        "Ask for a fresh code",
        body=NoMembers,
        answers=StatusSerializer,
        status=202,
        refusals=(400, 401, 404, 409, 415, 429),
        answered=examples.STATUS,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """A code will be mailed to the address of the request; the one before stops working."""
        read(NoMembers, request)
        return Response(StatusSerializer(status_of(ask_for_code(request_id))).data, status=status.HTTP_202_ACCEPTED)


class AnswerView(APIView):
    """The answer to a question of the staff."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "subject"

    @described(
        "Answer",
        body=AnswerBody,
        answers=StatusSerializer,
        refusals=(400, 401, 404, 409, 415, 429),
        sent={"answer": "I wrote under the name of my shop."},
        answered=examples.STATUS,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """The request is under review again."""
        answer = read(AnswerBody, request)["answer"]
        answered = answer_question(request_id, actor=subject_of(request_id), answer=answer)
        return Response(StatusSerializer(status_of(answered)).data)


class ComplaintView(APIView):
    """The model said this about me."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "submit"

    @described(
        "Complain",
        body=ComplaintBody,
        answers=SubmittedSerializer,
        status=201,
        refusals=(400, 401, 404, 409, 415, 429),
        sent={"text": "Asked who lives at ..., the assistant answered with my name."},
        answered=examples.RECEIPT,
        takes_key=True,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """After the end of a request: what a model still said becomes a new request, linked to this one."""
        said = read(ComplaintBody, request)
        submitted = once(
            idempotency.asked(request, f"complaint of {request_id}", said),
            lambda: complain(request_id, text=said["text"], channel=Channel.API),
        )
        return received(submitted)


class WithdrawView(APIView):
    """Taking the request back."""

    authentication_classes = (SubjectAuthentication,)
    permission_classes = (IsAuthenticated,)

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "subject"

    @described(
        "Take it back",
        body=NoMembers,
        answers=StatusSerializer,
        refusals=(400, 401, 404, 409, 415, 429),
        answered=examples.STATUS,
    )
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Withdraw, as long as nothing was decided."""
        read(NoMembers, request)
        withdrawn = withdraw(request_id, actor=subject_of(request_id))
        return Response(StatusSerializer(status_of(withdrawn)).data)
