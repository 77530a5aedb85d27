"""A stranger keeps nobody waiting, says no more than is wanted, and leads nobody elsewhere."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from compliance.evidence import bounded_post
from compliance.evidence.bounded_post import NoAnswerError, TooLongAnswerError
from tests.services.free_port import free_port

Talk = Callable[[socket.socket, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """The URL of a server that says so to each caller, until the block ends."""
    is_over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not is_over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    talk(connection, is_over)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def saying(answer: bytes) -> Talk:
    return lambda connection, _: connection.sendall(answer)


def trickling(beginning: bytes) -> Talk:
    """One more byte each moment, for as long as somebody listens."""

    def talk(connection: socket.socket, is_over: threading.Event) -> None:
        connection.sendall(beginning)
        while not is_over.wait(0.02):
            connection.sendall(b"x")

    return talk


def silent(connection: socket.socket, is_over: threading.Event) -> None:
    is_over.wait()


def post(url: str, *, max_bytes: int = 100, timeout_seconds: float = 5.0) -> bounded_post.Reply:
    return bounded_post.post(url, b"question", "text/plain", max_bytes=max_bytes, timeout_seconds=timeout_seconds)


SLOW: dict[str, Talk] = {
    "a status that never ends": trickling(b"HTTP/1.1 2"),
    "a header that never ends": trickling(OK + b"X-Long: "),
    "an answer that never ends": trickling(OK + b"Content-Length: 100\r\n\r\n"),
    "silence": silent,
}


@pytest.mark.parametrize("name", SLOW)
def test_a_stranger_that_never_ends_is_left(name: str) -> None:
    with talking(SLOW[name]) as url, pytest.raises(NoAnswerError):
        post(url, timeout_seconds=0.3)


BROKEN: dict[str, tuple[bytes, type[OSError]]] = {
    "nothing": (b"", NoAnswerError),
    "no HTTP": (b"jane\r\n\r\n", NoAnswerError),
    "less than was announced": (OK + b"Content-Length: 50\r\n\r\njane", NoAnswerError),
    "more than is wanted": (OK + b"Content-Length: 101\r\n\r\n" + b"x" * 101, TooLongAnswerError),
    "more than is wanted, unannounced": (OK + b"\r\n" + b"x" * 101, TooLongAnswerError),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_an_error_and_not_repeated(name: str) -> None:
    answer, kind = BROKEN[name]
    with talking(saying(answer)) as url, pytest.raises(kind) as caught:
        post(url)
    assert "jane" not in str(caught.value)


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(NoAnswerError):
        post(f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("ftp://127.0.0.1/", id="another protocol"),
        pytest.param("http://", id="no host"),
        pytest.param("http://jane@127.0.0.1/", id="a user"),
        pytest.param("http://127.0.0.1/#a", id="a fragment"),
        pytest.param("http://127.0.0.1/ a", id="a space"),
        pytest.param("http://127.0.0.1/\n", id="a line"),
        pytest.param("http://127.0.0.1:0/", id="port 0"),
        pytest.param("http://127.0.0.1:x/", id="no port"),
    ],
)
def test_what_is_no_address_is_not_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|Port"):
        post(url)


def test_a_query_is_allowed_where_it_is_wanted_alone() -> None:
    bounded_post.refuse_other_url("https://tsa.example/?a=b", has_query=True)
    with pytest.raises(ValueError, match="address"):
        bounded_post.refuse_other_url("https://witness.example/?a=b")


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_an_answer_is_handed_on_whatever_its_status_and_nobody_is_led_elsewhere(status: int) -> None:
    head = b"HTTP/1.1 %d Some\r\nContent-Type: text/plain\r\nLocation: http://127.0.0.1:1/\r\n" % status
    with talking(saying(head + b"Content-Length: 6\r\n\r\nanswer")) as url:
        assert post(url) == bounded_post.Reply(status, "text/plain", b"answer")
