"""Controller and processor over real sockets: the whole exchange, and what goes wrong in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from compliance.opendsr import certificates
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import OPENDSR_2, OPENGDPR_1, Dialect
from compliance.opendsr.errors import (
    OtherCallbackUrlError,
    OtherDomainError,
    ReplayedError,
    SignatureMismatchError,
    UnknownDomainError,
    UntrustedChainError,
)
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.statuses import RequestStatus, may_follow
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, Regulation, SubjectRequestType

from .authority import AT, DOMAIN, Authority, new_authority
from .messages import PERSONAL
from .simulator import Controller, RefusedByProcessorError
from .stub_processor import CONTROLLER_ID, StubProcessor, post

Pair = tuple[Controller, StubProcessor]


@contextmanager
def running(
    processors: Authority, trusted: Authority, dialect: Dialect = OPENDSR_2, domain: str = DOMAIN
) -> Iterator[Pair]:
    """A controller that trusts one authority, and a processor whose certificate comes from another or the same."""
    policy = trusted.policy(domain)
    with (
        StubProcessor(processors.identity()) as processor,
        Controller(processor.wire, domain, policy, dialect, lambda: AT) as controller,
    ):
        yield controller, processor


@pytest.fixture
def pair(authority: Authority) -> Iterator[Pair]:
    with running(authority, authority) as both:
        yield both


def erasure(controller: Controller, kind: SubjectRequestType = SubjectRequestType.ERASURE) -> CreateRequest:
    return CreateRequest(
        regulation=Regulation.GDPR,
        subject_request_id=uuid.uuid4(),
        type=kind,
        identities=(Identity(IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW), PERSONAL),),
        submitted_at=AT,
        status_callback_urls=(controller.callback_url,),
    )


def test_an_answer_under_a_strangers_certificate_is_not_believed(authority: Authority) -> None:
    with running(new_authority("Stranger"), authority) as (controller, _), pytest.raises(UntrustedChainError):
        controller.create(erasure(controller))


def test_an_answer_under_another_domains_certificate_is_not_believed(authority: Authority) -> None:
    with running(authority, authority, domain="other.example") as (controller, _), pytest.raises(UnknownDomainError):
        controller.create(erasure(controller))
    with pytest.raises(OtherDomainError):
        certificates.trusted_key("other.example", authority.chain(), authority.policy("other.example"), AT)


def test_the_processor_refuses_with_an_error_object_that_repeats_nothing(pair: Pair) -> None:
    controller, _ = pair
    body = erasure(controller).to_bytes(DOMAIN).replace(b'"gdpr"', f'"{PERSONAL}"'.encode())
    with pytest.raises(RefusedByProcessorError, match="regulation: expected one of gdpr, ccpa") as caught:
        controller.create_raw(body)
    assert caught.value.status == caught.value.error.status == 400
    assert PERSONAL not in repr(caught.value.error)
    with pytest.raises(RefusedByProcessorError, match="subject_request_type"):
        controller.create(erasure(controller, SubjectRequestType.ACCESS))


def test_an_unknown_request_is_neither_told_nor_cancelled(pair: Pair) -> None:
    controller, _ = pair
    for question in (controller.ask, controller.cancel):
        with pytest.raises(RefusedByProcessorError) as caught:
            question(uuid.uuid4())
        assert caught.value.status == 404


def test_a_request_in_progress_cannot_be_cancelled(pair: Pair) -> None:
    controller, processor = pair
    request = erasure(controller)
    controller.create(request)
    processor.requests.move(str(request.subject_request_id), RequestStatus.IN_PROGRESS)
    with pytest.raises(RefusedByProcessorError, match="pending"):
        controller.cancel(request.subject_request_id)


def test_a_callback_that_was_changed_or_sent_twice_or_elsewhere_is_not_acted_on(pair: Pair) -> None:
    controller, processor = pair
    request = erasure(controller)
    controller.create(request)
    held = processor.requests.held[str(request.subject_request_id)]
    statuses = [processor.requests.call(held, controller.callback_url).status for _ in range(2)]
    statuses.append(post(controller.callback_url, b"{}", processor.requests.identity.headers(b"[]", OPENDSR_2)).status)
    body = b'{"status_callback_url":"https://elsewhere.example/"}'
    elsewhere = held.report.to_bytes(DOMAIN)[:-1] + b"," + body[1:]
    statuses.append(
        post(controller.callback_url, elsewhere, processor.requests.identity.headers(elsewhere, OPENDSR_2)).status
    )
    assert statuses == [202, 202, 400, 400]
    assert [type(error) for error in controller.refusals] == [
        ReplayedError,
        SignatureMismatchError,
        OtherCallbackUrlError,
    ]
    assert len(controller.callbacks) == 1


@pytest.mark.parametrize("dialect", [OPENDSR_2, OPENGDPR_1], ids=["2.0", "1.0"])
def test_a_request_is_created_asked_about_and_told_to_the_end(dialect: Dialect, authority: Authority) -> None:
    with running(authority, authority, dialect) as (controller, processor):
        request = erasure(controller)
        acknowledgement = controller.create(request)
        assert (acknowledgement.subject_request_id, acknowledgement.controller_id) == (
            request.subject_request_id,
            CONTROLLER_ID,
        )
        assert controller.ask(request.subject_request_id).status is RequestStatus.PENDING
        for status in (RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED):
            processor.requests.move(str(request.subject_request_id), status)
        told = [callback.report.status for callback in controller.wait_for(2)]
        assert told == [RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED]
        assert may_follow(*told)
        assert controller.ask(request.subject_request_id).api_version == dialect.api_version
        assert not controller.refusals


def test_a_pending_request_is_cancelled(pair: Pair) -> None:
    controller, _ = pair
    request = erasure(controller)
    controller.create(request)
    assert controller.cancel(request.subject_request_id).subject_request_id == request.subject_request_id
    assert controller.ask(request.subject_request_id).status is RequestStatus.CANCELLED


def test_a_receiver_in_trouble_is_told_again(pair: Pair) -> None:
    controller, processor = pair
    request = erasure(controller)
    controller.create(request)
    controller.troubles.append(HTTPStatus.SERVICE_UNAVAILABLE)
    answers = [processor.requests.move(str(request.subject_request_id), RequestStatus.IN_PROGRESS) for _ in range(2)]
    assert [answer.status for tried in answers for answer in tried] == [503, 202]
    assert len(controller.wait_for(1)) == 1


def test_the_processor_says_what_it_serves(pair: Pair) -> None:
    controller, _ = pair
    document = controller.discover()
    assert document.supported_types == (SubjectRequestType.ERASURE,)
    assert document.processor_certificate.startswith(f"https://{DOMAIN}/")
