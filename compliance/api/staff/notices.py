"""What the recipients of one request were told, and what staff record and decide about it.

Next: compliance/recipients/actions/record_told.py
"""

import uuid

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import NoMembers, read
from compliance.api.clients.scopes import RECIPIENTS
from compliance.api.permissions import acting_as, any_of
from compliance.api.schema import described
from compliance.api.staff.recipient_serializers import (
    AcknowledgedBody,
    ImpossibleBody,
    NoticeSerializer,
    NoticesOfRequestSerializer,
    ToldBody,
)
from compliance.api.staff.recipients import READERS
from compliance.ledger.actors import Role
from compliance.recipients import queries
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_acknowledged import record_acknowledged
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.actions.send_again import send_again

_REFUSALS = (400, 401, 403, 404, 409, 415)
_STAFF = (Role.OPERATOR, Role.DPO)
_TELLERS = (IsAuthenticated, any_of(*_STAFF, area=RECIPIENTS))
_DIGEST = "ab" * 32


class NoticesOfRequestView(APIView):
    """What is owed about one request."""

    permission_classes = READERS

    @described(
        "List the notices of a request",
        answers=NoticesOfRequestSerializer,
        refusals=(401, 403, 404),
        answered=examples.NOTICES_OF_REQUEST,
    )
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """By recipient. It is not signed off while one is owed."""
        notices = queries.notices_of_request(request_id)
        return Response(NoticesOfRequestSerializer({"notices": notices}).data)


class SendAgainView(APIView):
    """A notice whose delivery was given up."""

    permission_classes = _TELLERS

    @described(
        "Send a notice again",
        body=NoMembers,
        answers=NoticeSerializer,
        status=202,
        refusals=_REFUSALS,
        answered=examples.OWED_NOTICE,
    )
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        """To the address that the recipient has now."""
        read(NoMembers, request)
        send_again(notice_id, actor=acting_as(request.user, *_STAFF))
        return Response(_shown(notice_id), status=202)


class ToldView(APIView):
    """A recipient that was told by other means."""

    permission_classes = _TELLERS

    @described(
        "Record that a recipient was told",
        body=ToldBody,
        answers=NoticeSerializer,
        refusals=_REFUSALS,
        sent={"told_date": "2026-05-01", "document_sha256": _DIGEST},
        answered={**examples.OWED_NOTICE, **examples.TOLD},
    )
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        """By letter or telephone, on this day. The ledger gets a commitment to it."""
        asked = read(ToldBody, request)
        record_told(notice_id, actor=acting_as(request.user, *_STAFF), **asked)
        return Response(_shown(notice_id))


class AcknowledgedView(APIView):
    """An answer on paper."""

    permission_classes = _TELLERS

    @described(
        "Record the answer of a recipient",
        body=AcknowledgedBody,
        answers=NoticeSerializer,
        refusals=_REFUSALS,
        sent={"result": "done", "document_sha256": _DIGEST},
        answered=examples.NOTICE,
    )
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        """Once it was told. The ledger gets a commitment to the answer and the digest of the document."""
        asked = read(AcknowledgedBody, request)
        record_acknowledged(notice_id, actor=acting_as(request.user, *_STAFF), **asked)
        return Response(_shown(notice_id))


class ImpossibleView(APIView):
    """A recipient that cannot be told."""

    permission_classes = (IsAuthenticated, any_of(Role.DPO, area=RECIPIENTS))

    @described(
        "Declare a notice impossible",
        body=ImpossibleBody,
        answers=NoticeSerializer,
        refusals=_REFUSALS,
        sent={"reason": "impossible", "words": "The company was dissolved, and has no successor."},
        answered=examples.IMPOSSIBLE_NOTICE,
    )
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        """Or that it takes disproportionate effort (Art. 19 GDPR). The words are sealed. DPO alone."""
        asked = read(ImpossibleBody, request)
        declare_impossible(notice_id, actor=acting_as(request.user, Role.DPO), **asked)
        return Response(_shown(notice_id))


def _shown(notice_id: uuid.UUID) -> dict[str, object]:
    return dict(NoticeSerializer(queries.notice(notice_id)).data)
