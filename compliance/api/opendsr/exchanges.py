"""One question and its answer, between Django and the views."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from compliance.controllers.models import Controller
from compliance.opendsr import members, responses
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.signing_identity import SigningIdentity


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back. Only answers to controllers are signed, and those no cache keeps."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = responses.MEDIA_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PublicCall:
    """A question that anybody may ask."""

    request: HttpRequest
    dialect: Dialect
    signer: SigningIdentity


@dataclass(frozen=True, kw_only=True)
class Call:
    """A question of a controller. `subject_request_id` is what stands in the address, unread; empty without one."""

    request: HttpRequest
    dialect: Dialect
    signer: SigningIdentity
    controller: Controller
    subject_request_id: str


Handler = Callable[[Call], Answer]
PublicHandler = Callable[[PublicCall], Answer]


def body_of(request: HttpRequest) -> bytes:
    """The raw body; raises MessageError for one that is too long, or is not said to be JSON."""
    if request.content_type != responses.MEDIA_TYPE:
        raise MessageError("Content-Type", Reason.WRONG_VALUE, responses.MEDIA_TYPE)
    body = _read(request)
    if body is None:
        raise MessageError(members.BODY, Reason.TOO_LARGE, f"at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes")
    return body


def _read(request: HttpRequest) -> bytes | None:
    """None instead of an error, which would stay with the refusal."""
    try:
        return request.body
    except RequestDataTooBig:
        return None
