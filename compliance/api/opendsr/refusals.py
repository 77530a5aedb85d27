"""Refusals as error objects of the protocol. They name members and codes, never what was sent."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from compliance.api.errors import problem_of
from compliance.controllers.errors import ControllerError, SignerUnavailableError
from compliance.opendsr import error_object
from compliance.opendsr.error_object import ErrorDetail, ErrorObject
from compliance.opendsr.errors import OpenDsrError

RETRY_SECONDS = "60"
logger = logging.getLogger(__name__)


class MethodError(ControllerError):
    """Another method than those of the address."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, allowed: Mapping[str, object]) -> None:
        super().__init__("Expected one of the methods in Allow, found another.")
        self.allowed = ", ".join(sorted(allowed))


class CeilingError(ControllerError):
    """More questions than normal operation has."""

    code = "too_many_requests"
    status = 429

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Too many requests. Try again in {wait_seconds} seconds.")
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Refusal:
    """An error object and the headers beside it."""

    error: ErrorObject
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal_of(error: Exception) -> Refusal:
    """What to say about an error. One that was not expected is logged by its kind and place, not by its words."""
    if isinstance(error, OpenDsrError):
        return Refusal(error_object.of(error))
    if isinstance(error, SignerUnavailableError):
        logger.error("%s", error)
        text = "The processor cannot sign at the moment. Try again later."
        return _refusal(error.status, error.code, text, {"Retry-After": RETRY_SECONDS})
    if isinstance(error, ControllerError):
        return _refusal(error.status, error.code, str(error), _headers(error))
    problem = problem_of(error)
    is_temporary = problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"Retry-After": RETRY_SECONDS} if is_temporary else {}
    return _refusal(problem.status, problem.code, problem.detail, headers)


def _headers(error: ControllerError) -> dict[str, str]:
    if isinstance(error, MethodError):
        return {"Allow": error.allowed}
    if isinstance(error, CeilingError):
        return {"Retry-After": str(error.wait_seconds)}
    return {"WWW-Authenticate": 'Bearer realm="opendsr"'} if error.status == HTTPStatus.UNAUTHORIZED else {}


def _refusal(status: int, code: str, message: str, headers: Mapping[str, str]) -> Refusal:
    detail = ErrorDetail(domain="processor", reason=code, message=message)
    return Refusal(ErrorObject(status=HTTPStatus(status), message=message, details=(detail,)), headers)
