"""Errors as application/problem+json (RFC 9457). Whatever went wrong, the answer says it in one shape.

`code` is stable and meant for programs, `detail` for people; `errors` names members of the body by JSON Pointer.
No answer repeats what was sent, and none shows our inside: either may hold personal data.
"""

import logging
import math
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from compliance import contention
from compliance.api.clients.scopes import ScopeMissingError
from compliance.ledger.actors import RoleError
from compliance.letters.errors import MissingPartError
from compliance.outbound.errors import KindError, MessageError, OutboundError
from compliance.requests.errors import RequestError
from compliance.requests.identities import ShreddedError
from compliance.vault.errors import KeyRingError, KeyServiceError

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal. `errors` holds (JSON Pointer, sentence) pairs."""

    status: int
    code: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The members of the answer."""
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in self.errors]
        return members


BAD_REQUEST = Problem(status=400, code="bad_request", detail="The request could not be read. Check how it was built.")
FORBIDDEN = Problem(
    status=403, code="forbidden", detail="This is not allowed to you here. With a session, send the CSRF token too."
)
NOT_FOUND = Problem(status=404, code="not_found", detail="There is nothing here, or nothing that you may see.")
INTERNAL = Problem(
    status=500,
    code="internal_error",
    detail="Something went wrong on our side. Read the state again, then try once more.",
)
UNAVAILABLE = Problem(
    status=503,
    code="not_available",
    detail="A service that this needs does not answer. Nothing was lost. Try again later.",
    headers={"Retry-After": "30"},
)
_LOST = Problem(
    status=503,
    code="try_again",
    detail="Somebody was at work on the same thing. Nothing was done of what you asked for: read it again, and try again.",
    headers={"Retry-After": str(contention.RETRY_AFTER_SECONDS)},
)
_TOO_LARGE = Problem(status=413, code="body_too_large", detail="The body is larger than this API takes.")
_NOT_AUTHENTICATED = Problem(
    status=401, code="not_authenticated", detail="This needs credentials; WWW-Authenticate names their kind."
)
_CREDENTIALS_REFUSED = Problem(
    status=401, code="authentication_failed", detail="The credentials were not accepted: wrong, expired or withdrawn."
)

# The first class that fits is taken: subclasses stand before their parents.
_FIXED: tuple[tuple[type[Exception], Problem], ...] = (
    (RequestDataTooBig, _TOO_LARGE),
    (SuspiciousOperation, BAD_REQUEST),
    (BadRequest, BAD_REQUEST),
    (MultiPartParserError, BAD_REQUEST),
    (
        ShreddedError,
        Problem(status=409, code="shredded", detail="The request was shredded: nobody knows any more whose it was."),
    ),
    (UnreadablePostError, BAD_REQUEST),
    (Http404, NOT_FOUND),
    (exceptions.NotFound, NOT_FOUND),
    (PermissionDenied, FORBIDDEN),
    (exceptions.PermissionDenied, FORBIDDEN),
    (exceptions.NotAuthenticated, _NOT_AUTHENTICATED),
    (exceptions.AuthenticationFailed, _CREDENTIALS_REFUSED),
    (
        exceptions.MethodNotAllowed,
        Problem(status=405, code="method_not_allowed", detail="Use one of the methods in Allow."),
    ),
    (
        exceptions.UnsupportedMediaType,
        Problem(status=415, code="unsupported_media_type", detail="Send the body as application/json."),
    ),
)


def problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to an error of a view: the `EXCEPTION_HANDLER` of the settings."""
    found = problem_of(error)
    headers = dict(found.headers)
    if found.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenges(context)
    set_rollback()
    return Response(found.to_dict(), status=found.status, headers=headers, content_type=MEDIA_TYPE)


def _challenges(context: Mapping[str, Any]) -> str:
    """Every way in; the framework itself names the first alone (RFC 9110 section 11.6.1)."""
    ways = (way.authenticate_header(context["request"]) for way in context["view"].get_authenticators())
    return ", ".join(filter(None, ways))


def problem_of(error: Exception) -> Problem:
    """What to say about an error. An unexpected one is logged by its kind and place, not by its words."""
    for kinds, described in _DESCRIBED:
        if isinstance(error, kinds):
            return described(error)
    for kind, fixed in _FIXED:
        if isinstance(error, kind):
            return fixed
    _log(error)
    return INTERNAL


def _of_domain_error(error: RequestError | OutboundError) -> Problem:
    if isinstance(error, KindError | MessageError):
        _log(error)
        return INTERNAL
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log(error)
        return replace(UNAVAILABLE, code=error.code)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log(error)
        return Problem(status=error.status, code=error.code, detail=INTERNAL.detail)
    return Problem(status=error.status, code=error.code, detail=str(error))


def _of_scope(error: ScopeMissingError) -> Problem:
    challenge = {"WWW-Authenticate": error.challenge}
    return Problem(status=403, code="insufficient_scope", detail=str(error.detail), headers=challenge)


def _of_key_service(error: KeyServiceError) -> Problem:
    _log(error)
    return UNAVAILABLE


def _of_key_ring(error: KeyRingError) -> Problem:
    # Its message names a file or a setting, and what to do; whoever asked is not told of it.
    logger.error("the master keys cannot be used: %s", error)
    return INTERNAL


def _of_database(error: OperationalError) -> Problem:
    if contention.is_lost_to_another(error):
        contention.log_lost(error)
        return _LOST
    _log(error)
    return INTERNAL


def _of_validation(error: exceptions.ValidationError) -> Problem:
    found = tuple(_flat(error.detail, ""))
    where = ", ".join(pointer.removeprefix("#/").replace("/", ".") for pointer, _ in found if pointer != "#")
    detail = f"Some values are not allowed: {where}." if where else found[0][1]
    return Problem(status=400, code="invalid_input", detail=detail, errors=found)


def _flat(detail: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, pointer)
    else:
        yield f"#{pointer}", str(detail)


def _of_throttling(error: exceptions.Throttled) -> Problem:
    seconds = max(1, math.ceil(getattr(error, "wait", None) or 60))
    return Problem(
        status=429,
        code="too_many_requests",
        detail=f"Too many requests. Try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


def _log(error: Exception) -> None:
    # The message of an exception may quote a value; its type and the lines it passed through do not.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("unexpected %s\n%s", type(error).__name__, frames)


# Those that say something of their own; as above, the first class that fits is taken.
_DESCRIBED: tuple[tuple[Any, Callable[[Any], Problem]], ...] = (
    ((RequestError, OutboundError), _of_domain_error),
    (ScopeMissingError, _of_scope),
    (KeyServiceError, _of_key_service),
    (KeyRingError, _of_key_ring),
    (OperationalError, _of_database),
    (RoleError, lambda error: Problem(status=403, code="role_missing", detail=str(error))),
    # Its message names a part of a letter, never what the part holds.
    (MissingPartError, lambda error: Problem(status=409, code="letter_incomplete", detail=str(error))),
    (exceptions.ValidationError, _of_validation),
    (exceptions.ParseError, lambda error: Problem(status=400, code="body_not_readable", detail=str(error.detail))),
    (exceptions.Throttled, _of_throttling),
)
