"""Named reads of controllers and their requests. Nothing here writes."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from compliance.controllers import tokens
from compliance.controllers.errors import UnknownControllerError, UnknownRequestError
from compliance.controllers.models import Controller, ControllerRequest, StatusNotice
from compliance.opendsr.statuses import RequestStatus
from compliance.outbound.models import Delivery

KIND = "opendsr_callback"


@dataclass(frozen=True)
class Overview:
    """A controller, how many of its requests are in each status as told, and how many callbacks were given up."""

    controller: Controller
    n_by_status: dict[str, int]
    n_alarms: int


def by_token(token: str) -> Controller:
    """The active controller whose token this is; raises UnknownControllerError."""
    found = Controller.objects.filter(token_sha256=tokens.digest(token), is_active=True).first()
    if found is None:
        raise UnknownControllerError("Expected the token of an active controller, found another.")
    return found


def named(text: str) -> Controller:
    """The controller of this name or id; raises UnknownControllerError."""
    try:
        found = Controller.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        found = None
    found = found or Controller.objects.filter(name=text).first()
    if found is None:
        raise UnknownControllerError(f"There is no controller {text!r}. `manage.py controllers list` shows them.")
    return found


def passed_on(controller: Controller, subject_request_id: uuid.UUID) -> ControllerRequest:
    """A request of this controller, with the deletion request; raises UnknownRequestError."""
    rows = ControllerRequest.objects.select_related("request", "controller")
    found = rows.filter(controller=controller, subject_request_id=subject_request_id).first()
    if found is None:
        raise UnknownRequestError("There is no such request.")
    return found


def overviews() -> list[Overview]:
    """All controllers by name. Three queries."""
    counted: QuerySet[ControllerRequest, Any] = ControllerRequest.objects.order_by().values("controller", "status_told")
    n_told = {(row["controller"], row["status_told"]): row["n"] for row in counted.annotate(n=Count("pk"))}
    is_alarmed = Delivery.objects.filter(kind=KIND, subject_id=OuterRef("pk"), alarmed_at__isnull=False)
    alarmed = StatusNotice.objects.filter(Exists(is_alarmed)).order_by().values("controller_request__controller")
    n_alarms = {row["controller_request__controller"]: row["n"] for row in alarmed.annotate(n=Count("pk"))}
    return [
        Overview(
            controller=row,
            n_by_status={status.value: n_told.get((row.pk, status.value), 0) for status in RequestStatus},
            n_alarms=n_alarms.get(row.pk, 0),
        )
        for row in Controller.objects.order_by("name")
    ]


def is_overtaken(notice: StatusNotice, url: str) -> bool:
    """Whether this address has been told of something later already."""
    later = StatusNotice.objects.filter(
        Q(controller_request=notice.controller_request_id, number__gt=notice.number)
    ).values("pk")
    return Delivery.objects.filter(kind=KIND, subject_id__in=later, url=url, delivered_at__isnull=False).exists()
