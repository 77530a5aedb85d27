"""The auditor's part: which requests there are, the bundle of each, the keys and the newest checkpoint.

Next: compliance/reports/request_bundle.py
"""

import uuid

from django.http import HttpResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.audit.serializers import AuditPageSerializer, KeysSerializer, PageQuery
from compliance.api.bodies import read_query
from compliance.api.clients.scopes import AUDIT
from compliance.api.pagination import page_of
from compliance.api.permissions import any_of
from compliance.api.schema import BYTES, OBJECT, TEXT, described
from compliance.evidence import trust as trusts
from compliance.evidence.errors import TrustFileError
from compliance.ledger import checkpointer, notes
from compliance.ledger.actors import Role
from compliance.ledger.models import PublicKey
from compliance.ledger.trust_file import current_trust
from compliance.reports import request_bundle
from compliance.requests import queries
from compliance.requests.errors import NotReadyError

AUDITORS = (IsAuthenticated, any_of(Role.AUDITOR, Role.DPO, area=AUDIT))


class AuditedRequestsView(APIView):
    """All requests."""

    permission_classes = AUDITORS

    @described(
        "List requests to audit",
        query=PageQuery,
        answers=AuditPageSerializer,
        refusals=(400, 401, 403),
        answered=examples.AUDITED,
    )
    def get(self, request: Request) -> Response:
        """Newest first, 50 a page."""
        asked = read_query(PageQuery, request)
        rows = queries.listing().defer("deadlines", "scope")
        return Response(AuditPageSerializer(page_of(rows, request, asked.get("cursor"))).data)


class BundleView(APIView):
    """One request as an archive that verifies offline."""

    permission_classes = AUDITORS

    @described("Take the bundle", answers=BYTES, media_type="application/zip", refusals=(401, 403, 404, 409))
    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        """For `python -m compliance.evidence verify`; 409 while the ledger has not signed all its entries."""
        archive = request_bundle.export(request_id)
        disposition = f'attachment; filename="expunge-{request_id}.zip"'
        return HttpResponse(archive, content_type="application/zip", headers={"Content-Disposition": disposition})


class KeysView(APIView):
    """The public keys."""

    permission_classes = AUDITORS

    @described("List the public keys", answers=KeysSerializer, refusals=(401, 403), answered=examples.KEYS)
    def get(self, request: Request) -> Response:
        """Of the log and of the evidence, oldest first."""
        keys = PublicKey.objects.order_by("published_at", "key_sha256")
        return Response(KeysSerializer({"keys": keys}).data)


class TrustView(APIView):
    """The trust file."""

    permission_classes = AUDITORS

    @described("Take the trust file", answers=OBJECT, refusals=(401, 403, 409), answered=examples.TRUST)
    def get(self, request: Request) -> HttpResponse:
        """For `--trust`, once its fingerprint was compared on another way; 409 while no key is published."""
        try:
            content = trusts.write(current_trust())
        except TrustFileError as error:
            raise NotReadyError(str(error)) from error
        disposition = 'attachment; filename="trust.json"'
        return HttpResponse(content, content_type="application/json", headers={"Content-Disposition": disposition})


class CheckpointView(APIView):
    """The signed head of the log."""

    permission_classes = AUDITORS

    @described(
        "Read the newest checkpoint",
        answers=TEXT,
        media_type="text/plain",
        refusals=(401, 403, 409),
        answered=examples.CHECKPOINT,
    )
    def get(self, request: Request) -> HttpResponse:
        """A note as C2SP tlog-checkpoint has it, with its cosignatures, for comparison with what others are shown."""
        newest = checkpointer.latest()
        if newest is None:
            raise NotReadyError("No checkpoint was signed yet. Start `manage.py checkpointer`.")
        return HttpResponse(notes.cosigned(newest), content_type="text/plain; charset=utf-8")
