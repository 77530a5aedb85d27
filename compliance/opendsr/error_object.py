"""How a processor refuses. The object names members and codes, never what was sent.

Source: OpenDSR 2.0, sections 7.5 to 7.7.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import members
from compliance.opendsr.errors import MessageError, OpenDsrError, Reason

_MAX_DETAILS = 100
_VALIDATION = "validation"
_PROTOCOL = "protocol"


@dataclass(frozen=True, kw_only=True)
class ErrorDetail:
    """One thing that is wrong: in which domain of concern, as a code, and as a sentence."""

    domain: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ErrorObject:
    """The body of a refusal; `status` is the HTTP status that carries it."""

    status: HTTPStatus
    message: str
    details: tuple[ErrorDetail, ...] = ()

    def to_bytes(self) -> bytes:
        """The body. It goes out with `responses.NO_STORE`."""
        error: dict[str, Any] = {"code": int(self.status), "message": self.message}
        if self.details:
            error["errors"] = [
                {"domain": each.domain, "reason": each.reason, "message": each.message} for each in self.details
            ]
        return canonical.dumps({"error": error})


def of(error: OpenDsrError) -> ErrorObject:
    """The answer to a refusal of this package, with the refusal's own status."""
    is_message = isinstance(error, MessageError)
    reason = error.reason.value if isinstance(error, MessageError) else error.code
    detail = ErrorDetail(domain=_VALIDATION if is_message else _PROTOCOL, reason=reason, message=str(error))
    return ErrorObject(status=error.status, message=str(error), details=(detail,))


def parse(body: bytes) -> ErrorObject:
    """The error object of any processor; raises MessageError. Members that are optional there become empty texts."""
    error = members.read(body).object("error")
    code = error.count("code")
    status = next((each for each in HTTPStatus if each == code), None)
    if status is None:
        raise MessageError("error.code", Reason.WRONG_VALUE, "an HTTP status")
    details = error.objects("errors", _MAX_DETAILS) if error.has("errors") else ()
    return ErrorObject(
        status=status,
        message=_optional_text(error, "message"),
        details=tuple(
            ErrorDetail(**{name: _optional_text(each, name) for name in ("domain", "reason", "message")})
            for each in details
        ),
    )


def _optional_text(found: members.Members, name: str) -> str:
    return found.text(name) if found.has(name) else ""
