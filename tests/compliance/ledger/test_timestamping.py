"""Asking an authority: what is sent, what is believed of the answer, and what kind of failure each failure is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat import asn1
from pytest_django import Settings

from compliance.evidence import timestamp, timestamp_syntax
from compliance.evidence.timestamp_syntax import Refusal, Reply, Status, TimestampRequest
from compliance.ledger import timestamping
from compliance.ledger.publisher import StampError
from compliance.ledger.timestamping import (
    AuthorityAnswerError,
    AuthorityError,
    AuthorityRefusedError,
    AuthorityUnreachableError,
    HttpAuthority,
    request_token,
)
from tests.compliance.evidence.stamping import Authority, new_authority
from tests.services.free_port import free_port
from tests.services.timestamp_authority import TimestampAuthority, answering

DATA = b"a signature over evidence"
REPLY = "application/timestamp-reply"
Answer = Callable[[TimestampRequest], tuple[int, str, bytes]]


@contextmanager
def giving(answer: Answer) -> Iterator[str]:
    """The URL of a server that answers each request so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            status, content_type, content = answer(timestamp_syntax.decode(TimestampRequest, body))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


def stamped(
    authority: Authority, data: bytes = DATA, off: timedelta = timedelta(0), nonce_off: int = 0
) -> Callable[[TimestampRequest], bytes]:
    """Answers of an authority whose clock, nonce or bytes may be wrong."""

    def answer(request: TimestampRequest) -> bytes:
        now = datetime.now(UTC).replace(microsecond=0)
        return authority.stamp(data, now + off, nonce=request.nonce + nonce_off)

    return answer


def refused(*failures: int) -> bytes:
    """A refusal with these bits of PKIFailureInfo."""
    bits = sum(1 << (31 - number) for number in failures)
    failure = asn1.BitString(bits.to_bytes(4), 0) if failures else None
    return timestamp_syntax.encode(Refusal(status=Status(status=2, text=["jane@example.org"], failure=failure)))


ANSWERS: dict[str, tuple[Callable[[Authority], Answer], type[AuthorityError], str]] = {
    "a failure of the server": (lambda _: lambda _: (500, REPLY, b""), AuthorityUnreachableError, "status 500"),
    "a server that is busy": (lambda _: lambda _: (429, REPLY, b""), AuthorityUnreachableError, "status 429"),
    "another place": (lambda _: lambda _: (302, REPLY, b""), AuthorityRefusedError, "status 302"),
    "nobody there": (lambda _: lambda _: (404, REPLY, b""), AuthorityRefusedError, "status 404"),
    "a web page": (lambda _: lambda _: (200, "text/html", b"<p>jane"), AuthorityRefusedError, "type application"),
    "nothing": (lambda _: lambda _: (200, REPLY, b""), AuthorityAnswerError, "in DER"),
    "something else": (lambda _: lambda _: (200, REPLY, b"jane"), AuthorityAnswerError, "in DER"),
    "too much": (lambda _: lambda _: (200, REPLY, bytes(70_000)), AuthorityAnswerError, "at most 65536"),
    "a refusal": (lambda _: lambda _: (200, REPLY, refused()), AuthorityRefusedError, "no reason given"),
    "a refused policy": (lambda _: lambda _: (200, REPLY, refused(15)), AuthorityRefusedError, "the policy"),
    "an unknown failure": (lambda _: lambda _: (200, REPLY, refused(3)), AuthorityRefusedError, "failure 3"),
    "two reasons": (lambda _: lambda _: (200, REPLY, refused(0, 2)), AuthorityRefusedError, "algorithm and the kind"),
    "no clock": (lambda _: lambda _: (200, REPLY, refused(14)), AuthorityUnreachableError, "time source"),
    "a failure inside": (lambda _: lambda _: (200, REPLY, refused(25)), AuthorityUnreachableError, "its own"),
    "a token for other bytes": (
        lambda authority: lambda request: (200, REPLY, stamped(authority, b"others")(request)),
        AuthorityAnswerError,
        "about other bytes",
    ),
    "a token for another request": (
        lambda authority: lambda request: (200, REPLY, stamped(authority, nonce_off=1)(request)),
        AuthorityAnswerError,
        "nonce",
    ),
    "a token of another authority": (
        lambda _: lambda request: (200, REPLY, stamped(new_authority())(request)),
        AuthorityAnswerError,
        "does not lead to the root",
    ),
    "a clock that is late": (
        lambda authority: lambda request: (200, REPLY, stamped(authority, off=timedelta(minutes=-11))(request)),
        AuthorityAnswerError,
        "Compare the two clocks",
    ),
    "a clock that is early": (
        lambda authority: lambda request: (200, REPLY, stamped(authority, off=timedelta(minutes=11))(request)),
        AuthorityAnswerError,
        "Compare the two clocks",
    ),
    "a token with a refusal": (
        lambda authority: lambda request: (200, REPLY, with_status(stamped(authority)(request), 2)),
        AuthorityAnswerError,
        "is a refusal",
    ),
}


def with_status(answer: bytes, status: int, text: list[str] | None = None) -> bytes:
    """The same token under another status."""
    token = timestamp_syntax.decode(Reply, answer).token
    return timestamp_syntax.encode(Reply(status=Status(status=status, text=text, failure=None), token=token))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_good_is_an_error_of_its_kind_and_not_repeated(name: str, authority: Authority) -> None:
    answer, kind, sentence = ANSWERS[name]
    with giving(answer(authority)) as url, pytest.raises(AuthorityError, match=sentence) as caught:
        request_token(DATA, url=url, certificates=authority.pems)
    assert type(caught.value) is kind
    assert "jane" not in str(caught.value)


def test_an_authority_that_is_away_may_be_asked_again(authority: Authority) -> None:
    with pytest.raises(AuthorityUnreachableError) as caught:
        request_token(DATA, url=f"http://127.0.0.1:{free_port()}/", certificates=authority.pems)
    assert caught.value.is_retryable
    assert not AuthorityRefusedError.is_retryable and not AuthorityAnswerError.is_retryable


def test_an_authority_that_never_ends_its_answer_keeps_nobody(authority: Authority) -> None:
    released = threading.Event()

    def wait(_: TimestampRequest) -> tuple[int, str, bytes]:
        released.wait(30)
        return 200, REPLY, b""

    with giving(wait) as url:
        with pytest.raises(AuthorityUnreachableError):
            request_token(DATA, url=url, certificates=authority.pems, timeout_seconds=0.2)
        released.set()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://", id="no host"),
        pytest.param("http://jane@127.0.0.1/", id="a user"),
        pytest.param("http://127.0.0.1:0/", id="no port"),
        pytest.param("http://127.0.0.1/ a", id="a space"),
    ],
)
def test_what_is_no_address_is_not_asked(url: str, authority: Authority) -> None:
    with pytest.raises(ValueError, match=r"address|Port"):
        request_token(DATA, url=url, certificates=authority.pems)


def test_the_authority_gets_a_hash_and_a_fresh_number_and_nothing_else(authority: Authority) -> None:
    asked: list[TimestampRequest] = []

    def answer(request: TimestampRequest) -> tuple[int, str, bytes]:
        asked.append(request)
        return 200, REPLY, stamped(authority)(request)

    with giving(answer) as url:
        for _ in range(2):
            request_token(DATA, url=url, certificates=authority.pems)
    assert [each.message_imprint.hashed_message for each in asked] == [sha256(DATA).digest()] * 2
    assert asked[0].nonce != asked[1].nonce
    assert all(each.wants_certificate and each.version == 1 for each in asked)


def test_a_token_granted_with_words_is_kept_without_them(authority: Authority) -> None:
    def answer(request: TimestampRequest) -> tuple[int, str, bytes]:
        return 200, f"{REPLY}; charset=binary", with_status(stamped(authority)(request), 1, ["jane@example.org"])

    with giving(answer) as url:
        token = request_token(DATA, url=url, certificates=authority.pems)
    assert b"jane" not in token
    assert timestamp.verify(token, DATA, authority.pems)


def test_one_of_several_authorities_is_enough(authority: Authority) -> None:
    answer = stamped(authority)
    with giving(lambda request: (200, REPLY, answer(request))) as url:
        token, stamped_at = HttpAuthority(url, [new_authority().pems, authority.pems]).stamp(DATA)
        assert timestamp.verify(token, DATA, authority.pems) == stamped_at
        with pytest.raises(StampError, match="No certificates"):
            HttpAuthority(url, []).stamp(DATA)


def test_the_authority_of_the_settings_is_asked(authority: Authority, settings: Settings, tmp_path: Path) -> None:
    settings.TSA_URL = ""
    assert timestamping.configured() is None
    settings.TSA_CERTIFICATES_PATH = tmp_path / "tsa.pem"
    settings.TSA_CERTIFICATES_PATH.write_text("".join(authority.pems))
    answer = stamped(authority)
    with giving(lambda request: (200, REPLY, answer(request))) as url:
        settings.TSA_URL = url
        configured = timestamping.configured()
        assert configured is not None
        assert timestamp.verify(configured.stamp(DATA)[0], DATA, authority.pems)


def test_a_real_authority_stamps_what_it_is_asked_to(tmp_path: Path) -> None:
    real = TimestampAuthority(tmp_path)
    with answering(real) as url:
        before = datetime.now(UTC).replace(microsecond=0)
        token, stamped_at = HttpAuthority(url, [real.pems]).stamp(DATA)
    assert before <= stamped_at <= datetime.now(UTC)
    assert timestamp.verify(token, DATA, real.pems[:1]) == stamped_at
