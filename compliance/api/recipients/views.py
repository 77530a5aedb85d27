"""Where recipients answer. Anyone may post; the token or the signature says who it is.

Next: compliance/recipients/actions/acknowledge.py
"""

import uuid

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import read
from compliance.api.recipients.serializers import AcknowledgedSerializer, AcknowledgementBody, given, receipt
from compliance.api.schema import described
from compliance.recipients.actions.acknowledge import acknowledge

_SENT = {"token": "the token of the notice", "notice_sha256": "ab" * 32, "result": "done"}


class AcknowledgementView(APIView):
    """The answer to one notice."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "acknowledgement"

    @described(
        "Acknowledge a notice",
        body=AcknowledgementBody,
        answers=AcknowledgedSerializer,
        refusals=(400, 403, 404, 409, 415, 429),
        sent=_SENT,
        answered=examples.ACKNOWLEDGED,
    )
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        """Say what was done. The same answer again gives the same receipt; another one is refused."""
        return Response(receipt(acknowledge(notice_id, given(read(AcknowledgementBody, request)))))
