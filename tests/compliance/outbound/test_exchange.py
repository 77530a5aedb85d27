"""One try on the wire: against a real server, real TLS, and receivers that mean no good."""

import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.outbound import exchange
from compliance.outbound.exchange import Outcome
from compliance.outbound.messages import Message
from compliance.outbound.models import Failure
from tests.compliance.outbound.certificates import Authority
from tests.compliance.outbound.receiver import Receiver, Talk, receiving, talking
from tests.services.free_port import free_port

MESSAGE = Message(b'{"a":1}', {"Content-Type": "application/json", "webhook-id": "7"})
NAME = "receiver.example"
OK = b"HTTP/1.1 200 OK\r\n"
HERE = ["127.0.0.1"]


def send(url: str) -> Outcome:
    return exchange.send(url, MESSAGE)


def trickling(beginning: bytes) -> Talk:
    """One more byte each moment, for as long as somebody listens."""

    def talk(connection: socket.socket, is_over: threading.Event) -> None:
        connection.sendall(beginning)
        while not is_over.wait(0.02):
            connection.sendall(b"x")

    return talk


def silent(connection: socket.socket, is_over: threading.Event) -> None:
    is_over.wait()


SLOW: dict[str, Talk] = {
    "silence": silent,
    "a status that never ends": trickling(b"HTTP/1.1 2"),
    "a header that never ends": trickling(OK + b"X-Long: "),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_receiver_that_never_ends_is_left_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "TIMEOUT_SECONDS", 0.3)
    begun = time.monotonic()
    with talking(SLOW[name]) as url:
        assert send(url).failure == Failure.TIMED_OUT
    assert time.monotonic() - begun < 3


def test_a_receiver_that_never_ends_its_tls_handshake_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "TIMEOUT_SECONDS", 0.3)
    with talking(silent) as url:
        assert send(url.replace("http:", "https:")).failure == Failure.TIMED_OUT


BROKEN: dict[str, tuple[bytes, Failure]] = {
    "nothing": (b"", Failure.NO_CONNECTION),
    "no HTTP": (b"hello\r\n\r\n", Failure.BAD_ANSWER),
    "a status that is none": (b"HTTP/1.1 abc OK\r\n\r\n", Failure.BAD_ANSWER),
    "a header that is too long": (OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n", Failure.BAD_ANSWER),
    "too many headers": (OK + b"X: a\r\n" * 200 + b"\r\n", Failure.BAD_ANSWER),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_has_a_word(name: str) -> None:
    answer, failure = BROKEN[name]
    with talking(lambda connection, _: connection.sendall(answer)) as url:
        outcome = send(url)
    assert (outcome.status_code, outcome.failure) == (None, failure)


def test_a_body_without_end_is_not_read() -> None:
    sent = []

    def pour(connection: socket.socket, is_over: threading.Event) -> None:
        connection.sendall(OK + b"Content-Type: text/plain\r\n\r\n")
        while not is_over.is_set():
            connection.sendall(b"x" * 65_536)
            sent.append(65_536)

    with talking(pour) as url:
        outcome = send(url)
        time.sleep(0.2)
    assert outcome.is_success
    # What the buffers of both sides hold, and nothing like what such a server would go on to send.
    assert sum(sent) < 32 * 1024 * 1024


def test_a_body_that_trickles_does_not_matter() -> None:
    with talking(trickling(OK + b"Content-Length: 1000\r\n\r\n")) as url:
        outcome = send(url)
    assert outcome.is_success and outcome.duration_ms < 5000


def test_nobody_there_has_a_word() -> None:
    assert send(f"http://127.0.0.1:{free_port()}/").failure == Failure.NO_CONNECTION


@pytest.mark.parametrize("url", ["http://127.0.0.2/", "https://localhost/", "https://169.254.169.254/", "nothing"])
def test_a_closed_network_is_not_asked(url: str) -> None:
    assert send(url).failure == Failure.ADDRESS_REFUSED


def test_a_name_that_the_system_does_not_know_has_a_word() -> None:
    outcome = exchange.send(f"https://{NAME}/", MESSAGE, lookup=lambda host, port: [])
    assert outcome.failure == Failure.NAME_UNKNOWN


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [307], {"Location": elsewhere.url}
        outcome = send(receiver.url)
        assert (outcome.status_code, outcome.is_success) == (307, False)
        assert elsewhere.received == []


def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(settings: Settings) -> None:
    """DNS rebinding: the first answer is public, the second is this machine. There is no second question."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset()
    outcome = exchange.send(f"https://{NAME}/", MESSAGE, lookup=lambda host, port: answers.pop(0))
    # The tests' own guard of the network says no to the public address: that is where it went.
    assert outcome.failure == Failure.NO_CONNECTION
    assert answers == [["127.0.0.1"]]


def test_a_name_that_leads_here_by_now_is_refused(receiver: Receiver, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset()
    outcome = exchange.send(f"https://{NAME}/", MESSAGE, lookup=lambda host, port: HERE)
    assert outcome.failure == Failure.ADDRESS_REFUSED
    assert receiver.received == []


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert send(receiver.url).is_success
        assert proxy.received == []


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def send_over_tls(receiver: Receiver, settings: Settings, name: str = NAME) -> Outcome:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({name})
    return exchange.send(f"https://{name}:{receiver.port}/hook", MESSAGE, lookup=lambda host, port: HERE)


def test_an_unknown_issuer_is_refused(authority: Authority, settings: Settings) -> None:
    with receiving(authority.server(NAME)) as receiver:
        assert send_over_tls(receiver, settings).failure == Failure.TLS_FAILED
        assert receiver.received == []


def test_another_name_is_refused(authority: Authority, settings: Settings) -> None:
    settings.OUTBOUND_CA_PATH = authority.path
    with receiving(authority.server("other.example")) as receiver:
        assert send_over_tls(receiver, settings).failure == Failure.TLS_FAILED


def test_an_expired_certificate_is_refused(authority: Authority, settings: Settings) -> None:
    settings.OUTBOUND_CA_PATH = authority.path
    with receiving(authority.server(NAME, valid_for=timedelta(days=-1))) as receiver:
        assert send_over_tls(receiver, settings).failure == Failure.TLS_FAILED


def test_a_receiver_without_tls_is_refused_where_tls_is_wanted(receiver: Receiver, settings: Settings) -> None:
    assert send_over_tls(receiver, settings).failure == Failure.TLS_FAILED


def test_the_connection_goes_to_the_address_and_the_certificate_proves_the_name(
    authority: Authority, settings: Settings
) -> None:
    settings.OUTBOUND_CA_PATH = authority.path
    with receiving(authority.server(NAME)) as receiver:
        outcome = send_over_tls(receiver, settings)
        assert outcome.status_code == 204
        (received,) = receiver.received
    assert received.headers["host"] == f"{NAME}:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({NAME})
    url = f"http://{NAME}:{receiver.port}/"
    assert exchange.send(url, MESSAGE, lookup=lambda host, port: ["127.0.0.9", *HERE]).is_success


def test_a_message_arrives_as_it_was_made(receiver: Receiver) -> None:
    outcome = send(receiver.url)
    (received,) = receiver.received
    assert (received.path, received.body) == ("/hook?tenant=7", MESSAGE.body)
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"] == "Expunge"
    assert set(received.headers) == {
        *("host", "accept-encoding", "content-length", "user-agent", "content-type", "webhook-id")
    }
    assert outcome.is_success and outcome.failure is None


@pytest.mark.parametrize(("status", "is_success"), [(200, True), (202, True), (299, True), (300, False), (404, False)])
def test_any_2xx_is_a_success(receiver: Receiver, status: int, is_success: bool) -> None:
    receiver.statuses = [status]
    assert send(receiver.url).is_success is is_success
