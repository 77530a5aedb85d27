"""Through the WSGI application, as a server calls it: whatever the Content-Type, there is an answer, and no 500."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http.request import HttpHeaders
from django.utils.http import parse_header_parameters
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compliance import content_types
from compliance.wsgi import application

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
ASK, API, HEALTH, TOKEN = "/erasure/en/ask/", "/api/v1/requests", "/healthz", "/api/v1/oauth/token"

REFUSED = {
    "an extended charset with a null character": "a/b; charset*=utf-8''%00",
    "an extended charset": "a/b; charset*=utf-8''base64",
    "an extended parameter in an unknown charset": "a/b; x*=nosuch''%41",
    "an extended parameter that is no text": "text/html; charset*=utf-8''%ed%a0%80",
    "a charset in parts": "a/b; charset*0=ba; charset*1=se64",
    "an extended parameter with spaces": "a/b; x * = nosuch''%41",
    "a codec that is no charset": f"{FORM}; charset=base64",
    "a codec in capitals and quotes": f'{FORM}; CHARSET="Punycode"',
    "a codec that refuses everything": f"{FORM}; charset=undefined",
    "another charset": "application/json; charset=utf-16",
    "a charset that there is not": "application/json; charset=tlh",
    "no charset after all": "application/json; charset=",
    "a null character as charset": 'application/json; charset="\x00"',
    "UTF-8 and then another": "application/json; charset=utf-8; charset=hex",
    "another and then UTF-8": "application/json; charset=hex; charset=utf-8",
    "another in the parts of a form": "multipart/form-data; boundary=x; charset=rot13",
}
TAKEN = {
    "nothing": "",
    "a media type": "application/json",
    "UTF-8": "application/json; charset=UTF-8",
    "UTF-8 in quotes": 'application/json; charset="utf-8"',
    "UTF-8 without a hyphen": "application/json;charset=utf8",
    "a boundary": "multipart/form-data; boundary=charset",
    "no media type": ";;;",
}


@pytest.fixture(autouse=True)
def _connection_stays_open() -> Iterator[None]:
    """The end of a request would close that of the test, with its transaction. No limit is reached meanwhile."""
    cache.clear()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    cache.clear()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HttpHeaders
    body: bytes


def call(path: str, content_type: str, *, method: str = "POST", body: bytes = b"", cookie: str = "") -> Answer:
    """What a server would send. The validator of wsgiref looks on."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    address, _, query = path.partition("?")
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": address,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": cookie,
        "wsgi.input": io.BytesIO(body),
    }
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started[:] = [status, headers]

    chunks = validator(application)(environ, start_response)
    try:
        content = b"".join(chunks)
    finally:
        chunks.close()  # type: ignore[attr-defined] # The validator's iterator has it.
    status, headers = started
    return Answer(int(status.split()[0]), HttpHeaders({_cgi(name): value for name, value in headers}), content)


def _cgi(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


@pytest.mark.parametrize("path", [f"{API}?x=1", TOKEN])
@pytest.mark.parametrize("content_type", REFUSED.values(), ids=REFUSED)
def test_the_api_refuses_with_a_problem(path: str, content_type: str) -> None:
    answer = call(path, content_type, body=b"{}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    problem = json.loads(answer.body)
    assert (problem["status"], problem["code"]) == (400, "bad_request")
    assert problem["detail"].startswith("Content-Type: expected UTF-8")
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("path", [HEALTH, f"{ASK}?x=1", "/", "/nowhere", "/v2/requests", "/static/x"])
@pytest.mark.parametrize("content_type", REFUSED.values(), ids=REFUSED)
def test_every_other_address_refuses_in_plain_text(path: str, content_type: str) -> None:
    answer = call(path, content_type, body=b"a=%C3%A9")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"Content-Type: expected UTF-8")
    assert call(path, content_type, method="HEAD").body == b""


@pytest.mark.parametrize("content_type", TAKEN.values(), ids=TAKEN)
def test_what_is_in_order_goes_on(content_type: str) -> None:
    assert call(HEALTH, content_type, method="GET").status == 200
    # Without the cookie against forged forms, and with what is no JSON: the answers of the views themselves.
    assert call(ASK, content_type, body=b"a=b").status == 403
    assert json.loads(call(API, content_type, body=b"a=b").body)["code"] != "bad_request"


PIECES = st.sampled_from(
    [
        "a/b",
        ";",
        " ",
        "charset",
        "x",
        "*",
        "*0",
        "*1",
        "=",
        '"',
        "\\",
        "'",
        "''",
        "utf-8",
        "UTF8",
        "base64",
        "idna",
        "%00",
        "%41",
        "boundary",
        ",",
        "(",
        ")",
        "\x00",
        "é",
        "\t",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
@example("multipart/form-data; boundary=")
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_type_ends_in_an_error_of_ours(content_type: str) -> None:
    for path in (HEALTH, f"{ASK}?x=%C3%A9", f"{API}?x=%C3%A9"):
        assert call(path, content_type, body=b"a=%C3%A9").status < 500


@given(st.lists(PIECES, max_size=14).map("".join))
def test_django_reads_no_other_charset_in_what_is_let_through(content_type: str) -> None:
    """The twin is the parser that Django goes by."""
    if content_types.is_in_order(content_type):
        _, parameters = parse_header_parameters(content_type)
        assert parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


COOKIES = {
    "a null character": 'sessionid="\\000aaaaaaaaaaaa"',
    "half a character": 'sessionid="\\355\\240\\200aaaaaaaaa"',
    "letters that no key has": f"sessionid={'A' * 32}",
    "too many": f"sessionid={'a' * 9_000}",
    "too few": "sessionid=aaaaaaaa",
    "nothing": "sessionid=",
    "a key that there is not": f"sessionid={'a' * 32}",
}


@pytest.mark.parametrize(
    "path", ["/requests/", ASK, "/erasure/en/open/", f"{API}/8e03978e-40d5-43dd-bc93-6894a57f9324"]
)
@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_a_cookie_that_names_no_session_is_nobodys(path: str, cookie: str) -> None:
    """PostgreSQL takes no NUL in a text, so that the look-up itself would be an error there."""
    nobody = call(path, "", method="GET")
    assert call(path, "", method="GET", cookie=cookie).status == nobody.status < 500
