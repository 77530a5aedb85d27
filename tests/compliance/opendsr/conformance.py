"""The self-certification list for processors as checks that run against any of them over HTTP.

Each check speaks as a controller does, and believes what `compliance.opendsr.receiver` believes.
Source: OpenDSR, branch certification_checklist; specification 2.0.
"""

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import pytest

from compliance.opendsr import error_object, receiver, responses
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import DIALECTS, OPENDSR_2, Dialect
from compliance.opendsr.errors import (
    ExpiredError,
    OpenDsrError,
    ReplayedError,
    SignatureMismatchError,
    UnknownDomainError,
)
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.receiver import SignedMessage
from compliance.opendsr.statuses import RequestStatus, may_follow
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, Regulation, SubjectRequestType

from .malformed import BAD_BODIES
from .messages import PERSONAL, encoded, without
from .simulator import Answer, Controller, RefusedByProcessorError


class Processor(Protocol):
    """Who is examined. `advance` brings a request to a status and makes one try of each callback that is owed."""

    domain: str

    def controller(self, dialect: Dialect = OPENDSR_2) -> AbstractContextManager[Controller]: ...

    def advance(self, request_id: uuid.UUID, status: RequestStatus) -> None: ...

    def retry(self) -> None: ...

    def now(self) -> datetime: ...


Check = Callable[[Processor], None]


@dataclass(frozen=True)
class Item:
    """One check and the item of the list that it belongs to."""

    of: str
    check: Check

    @property
    def name(self) -> str:
        return self.check.__name__


ITEMS: list[Item] = []


def item(of: str) -> Callable[[Check], Check]:
    """Puts a check on the list."""

    def add(check: Check) -> Check:
        ITEMS.append(Item(of, check))
        return check

    return add


def erasure(controller: Controller, at: datetime, *identities: Identity) -> CreateRequest:
    """A request that a processor takes in."""
    raw = IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW)
    return CreateRequest(
        regulation=Regulation.GDPR,
        subject_request_id=uuid.uuid4(),
        type=SubjectRequestType.ERASURE,
        identities=identities or (Identity(raw, PERSONAL),),
        submitted_at=at.replace(microsecond=0),
        status_callback_urls=(controller.callback_url,),
    )


def created(controller: Controller, processor: Processor) -> CreateRequest:
    """The same, taken in."""
    request = erasure(controller, processor.now())
    controller.create(request)
    return request


@item("validation of new requests")
def a_malformed_request_is_refused_with_an_error_object_that_repeats_nothing(processor: Processor) -> None:
    with processor.controller() as controller:
        for name, body in BAD_BODIES.items():
            answer = posted(controller, body)
            assert answer.status == HTTPStatus.BAD_REQUEST, (name, answer)
            assert error_object.parse(answer.body).status == HTTPStatus.BAD_REQUEST, name
            assert PERSONAL.encode() not in answer.body, name
            assert "no-store" in _header(answer, "Cache-Control"), name


@item("validation of new requests")
def an_identity_that_is_not_looked_up_is_told(processor: Processor) -> None:
    md5 = IdentityKind(IdentityType.EMAIL, IdentityFormat.MD5)
    with processor.controller() as controller:
        request = erasure(controller, processor.now())
        more = replace(request, identities=(*request.identities, Identity(md5, "a" * 32)))
        acknowledged = controller.create(more)
        for outcome in (acknowledged.outcome, controller.ask(request.subject_request_id).outcome):
            assert outcome is not None
            assert outcome.ignored_identities == (md5,)


@item("validation of extensions")
def the_extension_of_another_processor_is_passed_over(processor: Processor) -> None:
    with processor.controller() as controller:
        request = erasure(controller, processor.now())
        members = json.loads(request.to_bytes(processor.domain))
        foreign = {"other.example": {"refuse": 7, "deep": [{}]}}
        controller.create_raw(encoded({**members, "extensions": foreign, "vendor_member": [1]}))


@item("duplicates")
def the_same_request_twice_is_one_and_another_under_its_id_is_refused(processor: Processor) -> None:
    with processor.controller() as controller:
        request = erasure(controller, processor.now())
        body = request.to_bytes(processor.domain)
        assert controller.create_raw(body) == controller.create_raw(body)
        other = replace(request, regulation=Regulation.CCPA)
        with pytest.raises(RefusedByProcessorError) as caught:
            controller.create(other)
        assert caught.value.status == HTTPStatus.BAD_REQUEST


@item("status objects and expected time")
def a_status_tells_ids_word_and_expected_time(processor: Processor) -> None:
    with processor.controller() as controller:
        request = erasure(controller, processor.now())
        acknowledged = controller.create(request)
        report = controller.ask(request.subject_request_id)
        assert report.status is RequestStatus.PENDING
        assert report.subject_request_id == acknowledged.subject_request_id == request.subject_request_id
        assert report.controller_id == acknowledged.controller_id
        assert report.expected_completion_at == acknowledged.expected_completion_at > acknowledged.received_at
        processor.advance(request.subject_request_id, RequestStatus.IN_PROGRESS)
        assert controller.ask(request.subject_request_id).status is RequestStatus.IN_PROGRESS


@item("status objects and expected time")
def an_unknown_request_is_not_found(processor: Processor) -> None:
    with processor.controller() as controller:
        for question in (controller.ask, controller.cancel):
            with pytest.raises(RefusedByProcessorError) as caught:
                question(uuid.uuid4())
            assert caught.value.status == caught.value.error.status == HTTPStatus.NOT_FOUND


@item("cancellation")
def a_pending_request_is_cancelled_once(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        assert controller.cancel(request.subject_request_id).subject_request_id == request.subject_request_id
        assert controller.ask(request.subject_request_id).status is RequestStatus.CANCELLED
        with pytest.raises(RefusedByProcessorError) as caught:
            controller.cancel(request.subject_request_id)
        assert caught.value.status == HTTPStatus.BAD_REQUEST


@item("cancellation")
def a_request_that_is_not_pending_is_not_cancelled(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        processor.advance(request.subject_request_id, RequestStatus.IN_PROGRESS)
        with pytest.raises(RefusedByProcessorError) as caught:
            controller.cancel(request.subject_request_id)
        assert caught.value.status == HTTPStatus.BAD_REQUEST


@item("discovery")
def discovery_says_what_is_served_and_where_the_certificate_is(processor: Processor) -> None:
    for dialect in DIALECTS:
        with processor.controller(dialect) as controller:
            document = controller.discover()
            assert document.supported_types == (SubjectRequestType.ERASURE,)
            assert IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW) in document.supported_identities
            assert controller.source.chain_of(processor.domain, anew=True)


@item("major version in the URL")
def without_the_major_version_there_is_nothing(processor: Processor) -> None:
    with processor.controller() as controller:
        for path in ("/v3/requests", "/v3/discovery", "/v2requests"):
            assert controller.wire.send("GET", path).status == HTTPStatus.NOT_FOUND, path


@item("prior names")
def the_earlier_version_is_spoken_to_the_end(processor: Processor) -> None:
    earlier = next(dialect for dialect in DIALECTS if dialect is not OPENDSR_2)
    with processor.controller(earlier) as controller:
        request = erasure(controller, processor.now())
        controller.create_raw(encoded(without(json.loads(request.to_bytes(processor.domain)), "regulation")))
        processor.advance(request.subject_request_id, RequestStatus.IN_PROGRESS)
        (callback,) = controller.wait_for(1)
        assert callback.report.status is RequestStatus.IN_PROGRESS
        assert earlier.signature_header.lower() in {name.lower() for name, _ in controller.arrived[0].headers}
        assert controller.ask(request.subject_request_id).api_version == earlier.api_version


@item("callbacks on change")
def every_change_is_called_back_in_order(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        for status in (RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED):
            processor.advance(request.subject_request_id, status)
        told = [callback.report.status for callback in controller.wait_for(2)]
        assert told == [RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED]
        assert may_follow(*told)
        assert not controller.refusals


@item("callbacks on change")
def a_cancellation_is_called_back(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        processor.advance(request.subject_request_id, RequestStatus.CANCELLED)
        (callback,) = controller.wait_for(1)
        assert callback.report.status is RequestStatus.CANCELLED
        assert callback.status_callback_url == controller.callback_url


@item("callbacks on change")
def a_callback_that_failed_is_sent_again(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        controller.troubles.append(HTTPStatus.SERVICE_UNAVAILABLE)
        processor.advance(request.subject_request_id, RequestStatus.IN_PROGRESS)
        assert controller.callbacks == []
        processor.retry()
        assert len(controller.wait_for(1)) == 1
        assert len({message.body for message in controller.arrived}) == 1


@item("signatures")
def what_was_tampered_with_replayed_or_signed_by_others_is_refused(processor: Processor) -> None:
    with processor.controller() as controller:
        request = created(controller, processor)
        processor.advance(request.subject_request_id, RequestStatus.IN_PROGRESS)
        controller.wait_for(1)
        (genuine,) = controller.arrived
        tampered = replace(genuine, body=genuine.body.replace(b"in_progress", b"completed"))
        elsewhere = replace(genuine, headers=_with_domain(genuine, "other.example"))
        assert judged(controller, tampered) is SignatureMismatchError
        assert judged(controller, elsewhere) is UnknownDomainError
        assert judged(controller, genuine) is ReplayedError
        assert judged(controller, genuine, processor.now() + timedelta(days=4000)) is ExpiredError


def posted(controller: Controller, body: bytes) -> Answer:
    """What comes back for any bytes."""
    headers = {"Content-Type": responses.MEDIA_TYPE}
    return controller.wire.send("POST", controller.dialect.requests_path, body, headers)


def judged(controller: Controller, message: SignedMessage, at: datetime | None = None) -> type[OpenDsrError]:
    """Why a receiver does not act on a message, now or at another time; raises AssertionError where it would."""
    if at is None:
        before = len(controller.refusals)
        controller.take_in(message)
        assert len(controller.refusals) == before + 1, "the message was believed"
        return type(controller.refusals[-1])
    with pytest.raises(OpenDsrError) as caught:
        receiver.verify(message, controller.policy, controller.source, at)
    return caught.type


def _with_domain(message: SignedMessage, domain: str) -> tuple[tuple[str, str], ...]:
    names = {dialect.domain_header.lower() for dialect in DIALECTS}
    return tuple((name, domain if name.lower() in names else value) for name, value in message.headers)


def _header(answer: Answer, name: str) -> str:
    return dict(answer.headers).get(name, "")
