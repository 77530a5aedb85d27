"""The outermost guard: a Content-Type that Django cannot read, or would read as another encoding, is a bad request.

Django reads the header before anything of ours runs, so that nobody would answer an error there; and it decodes query and
form by whatever codec of Python the header names, such as base64. Everything here is UTF-8.

Sources: RFC 9110 sections 5.6.6 and 8.3; RFC 8187 (extended parameters, which Content-Type does not have).
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from email.message import Message
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_UTF_8 = frozenset({"utf-8", "utf8"})
_EXPECTED = "Content-Type: expected UTF-8 or no charset, and no parameter with an asterisk; found another."


def guarded(application: WSGIApplication) -> WSGIApplication:
    """The application, which gets requests whose Content-Type is in order; others are answered here, with 400."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_in_order(environ.get("CONTENT_TYPE", "")):
            return application(environ, start_response)
        media_type, body = _refusal(environ.get("PATH_INFO", ""))
        headers = {
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        status = HTTPStatus.BAD_REQUEST
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


def is_in_order(content_type: str) -> bool:
    """Whether each charset that it names is UTF-8, and no parameter is extended or continued."""
    # No media type and no boundary (RFC 2046 section 5.1.1) has an asterisk.
    if "*" in content_type:
        return False
    # Read as Django does, except that it knows the last alone of several parameters of one name.
    message = Message()
    message["content-type"] = content_type
    parameters = message.get_params() or []
    return all(value.lower() in _UTF_8 for name, value in parameters if name.lower() == "charset")


def _refusal(path: str) -> tuple[str, bytes]:
    """Media type and body."""
    # Django must be set up before.
    from compliance.api.errors import BAD_REQUEST, MEDIA_TYPE

    if path.startswith("/api/"):
        return MEDIA_TYPE, json.dumps(replace(BAD_REQUEST, detail=_EXPECTED).to_dict()).encode()
    return "text/plain; charset=utf-8", f"{_EXPECTED}\n".encode()
