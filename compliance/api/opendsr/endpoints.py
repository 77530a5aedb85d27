"""From a URL to a handler and back: who asks, what is signed, and the one shape of every refusal."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from compliance.api.opendsr.admission import admitted
from compliance.api.opendsr.exchanges import Answer, Call, Handler, PublicCall, PublicHandler
from compliance.api.opendsr.refusals import MethodError, refusal_of
from compliance.controllers import processor
from compliance.controllers.errors import UnknownRequestError
from compliance.opendsr import responses
from compliance.opendsr.dialect import Dialect

_SOME_ID = r"(?P<subject_request_id>[^/]+)"
#: What is public changes rarely; a new certificate is seen within minutes.
_PUBLIC = {"Cache-Control": "max-age=300"}


def public(path: str, dialect: Dialect, handler: PublicHandler) -> URLPattern:
    """An address that anybody may read."""

    def answer(request: HttpRequest) -> HttpResponse:
        signer = processor.signer()
        _refuse_method(request, {"GET": handler, "HEAD": handler})
        found = handler(PublicCall(request=request, dialect=dialect, signer=signer))
        return _response(found, _PUBLIC)

    return _route(re.escape(path.lstrip("/")), answer)


def private(path: str, dialect: Dialect, handlers: Mapping[str, Handler]) -> URLPattern:
    """An address for controllers; `{id}` in the path stands for a subject_request_id. Answers are signed."""

    def answer(request: HttpRequest, subject_request_id: str = "") -> HttpResponse:
        signer = processor.signer()
        _refuse_method(request, handlers)
        call = Call(
            request=request,
            dialect=dialect,
            signer=signer,
            controller=admitted(request),
            subject_request_id=subject_request_id,
        )
        found = handlers[request.method or ""](call)
        return _response(found, {**responses.NO_STORE, **signer.headers(found.body, dialect)})

    pattern = re.escape(path.lstrip("/")).replace(re.escape("{id}"), _SOME_ID)
    return _route(pattern, answer)


def elsewhere(pattern: str) -> URLPattern:
    """Whatever is no endpoint, for every method."""

    def answer(request: HttpRequest) -> HttpResponse:
        processor.signer()
        raise UnknownRequestError("There is nothing here. GET /v2/discovery says what this processor serves.")

    return _route(pattern, answer)


def _route(pattern: str, answer: Callable[..., HttpResponse]) -> URLPattern:
    found: URLPattern = re_path(rf"^{pattern}\Z", _guarded(answer))
    return found


def _guarded(answer: Callable[..., HttpResponse]) -> Any:
    """The view, with every error told as an error object."""

    def view(request: HttpRequest, **captured: str) -> HttpResponse:
        try:
            return answer(request, **captured)
        except Exception as error:  # noqa: BLE001 - told in the one shape, and logged there
            refusal = refusal_of(error)
        told = Answer(body=refusal.error.to_bytes(), status=refusal.error.status, headers=refusal.headers)
        return _response(told, responses.NO_STORE)

    return csrf_exempt(view)


def _refuse_method(request: HttpRequest, handlers: Mapping[str, object]) -> None:
    if request.method not in handlers:
        raise MethodError(handlers)


def _response(answer: Answer, headers: Mapping[str, str]) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.media_type)
    for name, value in {**answer.headers, **headers}.items():
        response[name] = value
    return response
