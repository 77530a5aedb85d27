"""The register of recipients: who was given what, and is told when it is to be erased. A DPO keeps it; all staff read it.

Next: compliance/recipients/actions/register_recipient.py
"""

import dataclasses
import uuid
from typing import Any

from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.bodies import NoMembers, read, read_query
from compliance.api.clients.scopes import RECIPIENTS
from compliance.api.permissions import acting_as, any_of, held_role
from compliance.api.schema import described
from compliance.api.staff.recipient_serializers import (
    ChangeBody,
    NoticesQuery,
    NoticesSerializer,
    PageQuery,
    RecipientBody,
    RecipientSerializer,
    RecipientsSerializer,
)
from compliance.ledger.actors import Role, roles_of
from compliance.recipients import queries
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.retire_recipient import retire_recipient
from compliance.recipients.details import Details, details_of

_REFUSALS = (400, 401, 403, 404, 409, 415)
READERS = (IsAuthenticated, any_of(Role.OPERATOR, Role.DPO, Role.AUDITOR, area=RECIPIENTS))
_KEEPERS = (IsAuthenticated, any_of(Role.DPO, area=RECIPIENTS))


class RecipientsView(APIView):
    """The register."""

    permission_classes = READERS

    @described(
        "List recipients",
        query=PageQuery,
        answers=RecipientsSerializer,
        refusals=(400, 401, 403),
        answered=examples.RECIPIENTS,
    )
    def get(self, request: Request) -> Response:
        """By name, 50 a page, those that were retired, too."""
        page = queries.recipients(after=read_query(PageQuery, request).get("cursor"))
        shown = {"next": _following(request, page.after), "results": page.rows}
        return Response(RecipientsSerializer(shown, context=_context(request)).data)

    @described(
        "Register a recipient",
        body=RecipientBody,
        answers=RecipientSerializer,
        status=201,
        refusals=(400, 401, 403, 415),
        sent={"name": "Fabrikam SAS", "models": ["spam-filter"], "url": "https://fabrikam.example/erasure"},
        answered=examples.RECIPIENT,
    )
    def post(self, request: Request) -> Response:
        """It is owed notices of requests that wait for sign-off, too. DPO alone."""
        held_role(request.user, Role.DPO)
        asked = read(RecipientBody, request)
        name = asked.pop("name")
        made = register_recipient(name, Details(**_known(asked)), actor=acting_as(request.user, Role.DPO))
        return Response(_shown(request, made.pk), status=status.HTTP_201_CREATED)


class RecipientView(APIView):
    """One recipient."""

    permission_classes = READERS

    @described("See one recipient", answers=RecipientSerializer, refusals=(401, 403, 404), answered=examples.RECIPIENT)
    def get(self, request: Request, recipient_id: uuid.UUID) -> Response:
        """What it was given, how it is told, and how its notices stand."""
        return Response(_shown(request, recipient_id))


class ChangeView(APIView):
    """What is known of a recipient."""

    permission_classes = _KEEPERS

    @described(
        "Change a recipient",
        body=ChangeBody,
        answers=RecipientSerializer,
        refusals=_REFUSALS,
        sent={"url": "https://fabrikam.example/erasure"},
        answered=examples.RECIPIENT,
    )
    def post(self, request: Request, recipient_id: uuid.UUID) -> Response:
        """What is left out stays. A new address is used at once, also for what is owed. DPO alone."""
        asked = read(ChangeBody, request)
        if not asked:
            raise ValidationError("Expected at least one member to change, found none.")
        known = dataclasses.replace(details_of(queries.recipient(recipient_id)), **_known(asked))
        change_recipient(recipient_id, known, actor=acting_as(request.user, Role.DPO))
        return Response(_shown(request, recipient_id))


class RetireView(APIView):
    """The end of a recipient."""

    permission_classes = _KEEPERS

    @described(
        "Retire a recipient",
        body=NoMembers,
        answers=RecipientSerializer,
        refusals=_REFUSALS,
        answered={**examples.RECIPIENT, "is_active": False},
    )
    def post(self, request: Request, recipient_id: uuid.UUID) -> Response:
        """It is owed nothing new, for good; what it is owed stays owed. DPO alone."""
        read(NoMembers, request)
        retire_recipient(recipient_id, actor=acting_as(request.user, Role.DPO))
        return Response(_shown(request, recipient_id))


class NoticesView(APIView):
    """What one recipient was told."""

    permission_classes = READERS

    @described(
        "List the notices of a recipient",
        query=NoticesQuery,
        answers=NoticesSerializer,
        refusals=(400, 401, 403, 404),
        answered=examples.NOTICES,
    )
    def get(self, request: Request, recipient_id: uuid.UUID) -> Response:
        """Newest first, 50 a page: told, owed, acknowledged, or why it was impossible."""
        asked = read_query(NoticesQuery, request)
        page = queries.notices_of_recipient(recipient_id, status=asked.get("status"), after=asked.get("cursor"))
        shown = {"next": _following(request, page.after), "results": page.rows}
        return Response(NoticesSerializer(shown).data)


def _shown(request: Request, recipient_id: uuid.UUID) -> dict[str, Any]:
    return dict(RecipientSerializer(queries.recipient(recipient_id), context=_context(request)).data)


def _context(request: Request) -> dict[str, bool]:
    return {"shows_paths": Role.DPO in roles_of(request.user)}


def _following(request: Request, after: uuid.UUID | None) -> str | None:
    """The address of the next page; None on the last."""
    return None if after is None else str(replace_query_param(request.build_absolute_uri(), "cursor", str(after)))


def _known(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "models": tuple(asked["models"])} if "models" in asked else asked
