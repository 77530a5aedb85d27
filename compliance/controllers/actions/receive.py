"""A controller passes a request on: it is taken in like any other, and the controller vouches for the person.

Next: compliance/requests/actions/submit.py
"""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.db import transaction

from compliance.controllers import callback_addresses, locking, served, wishes
from compliance.controllers.errors import DuplicateError
from compliance.controllers.models import Controller, ControllerRequest
from compliance.evidence import commitment
from compliance.ledger import actors
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.statuses import RequestStatus
from compliance.requests import identities
from compliance.requests.actions.confirm_by_controller import confirm_by_controller
from compliance.requests.actions.submit import submit
from compliance.requests.models import Channel, DeletionRequest

#: How far ahead of ours a controller's clock may be.
CLOCK_SKEW = timedelta(minutes=5)
#: From then on the GDPR applies (its Art. 99(2)); nobody asked under it before.
FIRST_DAY = datetime(2018, 5, 25, tzinfo=UTC)
logger = logging.getLogger(__name__)


@transaction.atomic
def receive(controller_id: uuid.UUID, asked: CreateRequest, *, body: bytes, dialect: Dialect) -> ControllerRequest:
    """The request; the one of the first time when the same body comes again.

    Raises MessageError, UnknownControllerError, DuplicateError (the id with another body), and what `submit` raises.
    """
    # The lock keeps two copies of one message from both being the first.
    controller = locking.locked_active(controller_id)
    known = _known(controller, asked)
    if known is not None:
        _refuse_other_body(known, body)
        return known
    row = _taken_in(controller, asked, body, dialect)
    confirm_by_controller(row.request_id, actor=actors.controller(controller.pk))
    row.request.refresh_from_db()
    logger.info("controller %s: passed on request %s", controller.pk, row.request_id)
    return row


def _known(controller: Controller, asked: CreateRequest) -> ControllerRequest | None:
    rows = ControllerRequest.objects.select_related("request__vault", "controller")
    return rows.filter(controller=controller, subject_request_id=asked.subject_request_id).first()


def _taken_in(controller: Controller, asked: CreateRequest, body: bytes, dialect: Dialect) -> ControllerRequest:
    _refuse_other_time(asked)
    person, wished = served.person_of(asked), wishes.wishes_of(asked)
    urls = callback_addresses.allowed(asked.status_callback_urls, controller.callback_hosts, asked.identities)
    request = submit(
        identifier_kind=person.kind,
        identifier_value=person.value,
        ground=wished.ground,
        regulation=asked.regulation.value,
        channel=Channel.OPENDSR.value,
        locale=wished.locale,
        submitted_at=asked.submitted_at,
    ).request
    return ControllerRequest.objects.create(
        request=request,
        controller=controller,
        subject_request_id=asked.subject_request_id,
        body_commitment=_body_commitment(request, body),
        api_version=dialect.api_version,
        callback_urls=urls,
        ignored_identities=[[kind.type.value, kind.format.value] for kind in person.ignored],
        status_told=RequestStatus.PENDING,
    )


def _refuse_other_time(asked: CreateRequest) -> None:
    if not FIRST_DAY <= asked.submitted_at <= datetime.now(tz=UTC) + CLOCK_SKEW:
        expected = f"a time from {FIRST_DAY:%Y-%m-%d} on that is not in the future"
        raise MessageError("submitted_time", Reason.WRONG_VALUE, expected)


def _refuse_other_body(known: ControllerRequest, body: bytes) -> None:
    """Once the identity is shredded nothing can be compared any more, and the id is only used up."""
    is_shredded = known.request.vault.shredded_at is not None
    if is_shredded or not identities.same(known.body_commitment, _body_commitment(known.request, body)):
        raise DuplicateError(
            "subject_request_id: expected one that was not used before, or the same bytes as then; found neither."
        )


def _body_commitment(request: DeletionRequest, body: bytes) -> str:
    key = identities.commitment_key(request.vault)
    return commitment.commit(key, "opendsr-body", {"sha256": sha256(body).hexdigest()})
