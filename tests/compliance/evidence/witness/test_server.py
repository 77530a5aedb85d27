"""The witness over real sockets: good requests, bad ones, slow ones, and too many."""

import http.client
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from compliance.evidence import cosignature
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.server import WitnessServer, serve
from compliance.evidence.witness.store import Store, origin_sha256

from .history import ORIGIN, History

HASH = origin_sha256(ORIGIN)
TEXT = "text/plain; charset=utf-8"
Reply = tuple[int, str | None, bytes]


@contextmanager
def listening(opened: Store, **options: float) -> Iterator[WitnessServer]:
    server = WitnessServer(("127.0.0.1", 0), Cosigner(opened), **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


@pytest.fixture
def server(opened: Store) -> Iterator[WitnessServer]:
    with listening(opened) as running:
        yield running


@contextmanager
def connected(server: WitnessServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Reply:
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.headers["Content-Type"], response.read()


def raw(server: WitnessServer, data: bytes) -> bytes:
    """Everything that comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


CHUNKED = b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
REFUSED = [
    pytest.param(b"POST /add-checkpoint HTTP/1.1\r\n\r\n", 411, id="no length"),
    pytest.param(CHUNKED, 411, id="chunks"),
    pytest.param(CHUNKED.replace(b"\r\n\r\n0", b"\r\nContent-Length: 5\r\n\r\n0"), 411, id="chunks and a length"),
    pytest.param(
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 411, id="two lengths"
    ),
    pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, id="a negative length"),
    pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400, id="a length with a sign"),
    pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1_0\r\n\r\na", 400, id="a length with a bar"),
    pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 131073\r\n\r\n", 413, id="too long a body"),
    pytest.param(b"PUT /add-checkpoint HTTP/1.1\r\n\r\n", 501, id="another method"),
    pytest.param(b"GET / HTTP/9.9\r\n\r\n", 505, id="another version"),
    pytest.param(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, id="a long path"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431, id="many headers"),
    pytest.param(b"nonsense\r\n\r\n", 400, id="no HTTP"),
]


@pytest.mark.parametrize(("data", "status"), REFUSED)
def test_a_request_whose_end_is_not_known_closes_the_connection(
    server: WitnessServer, data: bytes, status: int
) -> None:
    # A second request behind the first must not be answered: it could be another client's body.
    received = raw(server, data + b"GET /second HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert str(status).encode() in received.split(b"\r\n")[0] + received[:20]
    assert received.count(b"HTTP/1.1 ") <= 1
    assert b"404" not in received


def test_the_body_of_a_get_is_not_taken_for_a_request(server: WitnessServer) -> None:
    hidden = b"GET /second HTTP/1.1\r\n\r\n"
    request = b"GET /first HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    assert raw(server, request + hidden).count(b"HTTP/1.1 404") == 1


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param(b"0 %d", id="none and some"),
        pytest.param(b"%d 0", id="some and none"),
        pytest.param(b"0 0", id="none twice"),
    ],
)
def test_a_get_with_two_lengths_closes_the_connection(server: WitnessServer, lengths: bytes) -> None:
    """A proxy may take the other one, and what follows for the request of another client."""
    hidden = b"GET /second HTTP/1.1\r\n\r\n"
    told = (lengths % len(hidden) if b"%" in lengths else lengths).split()
    head = b"".join(b"Content-Length: %b\r\n" % length for length in told)
    assert raw(server, b"GET /first HTTP/1.1\r\n" + head + b"\r\n" + hidden).count(b"HTTP/1.1 404") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/add-checkpoint",
        f"/{HASH}",
        f"/{HASH.upper()}/checkpoint",
        f"/{'0' * 64}/checkpoint",
        f"/{HASH}/checkpoint?x",
    ],
)
def test_other_paths_are_not_found(server: WitnessServer, path: str) -> None:
    with connected(server) as connection:
        assert ask(connection, "GET", path)[0] == 404
        if path != "/add-checkpoint":
            assert ask(connection, "POST", path, b"x")[0] == 404


def test_a_log_is_cosigned_and_served_over_one_connection(server: WitnessServer, opened: Store, log: History) -> None:
    with connected(server) as connection:
        assert ask(connection, "GET", f"/{HASH}/checkpoint")[0] == 404
        status, kind, line = ask(connection, "POST", "/add-checkpoint", log.request(0, 5))
        assert (status, kind) == (200, TEXT)
        assert list(cosignature.verify(log.note(5) + line, {"w": str(opened.vkey)})) == ["w"]
        assert ask(connection, "GET", f"/{HASH}/checkpoint") == (200, TEXT, log.note(5) + line)
        assert ask(connection, "POST", "/add-checkpoint", log.request(0, 9)) == (409, "text/x.tlog.size", b"5\n")
        assert ask(connection, "POST", "/add-checkpoint", log.forked_at(2).request(5, 9))[0] == 422
        assert ask(connection, "POST", "/add-checkpoint", History().request(5, 9))[0] == 403
        assert ask(connection, "POST", "/add-checkpoint", History(origin="x").request(5, 9))[0] == 404
        assert ask(connection, "POST", "/add-checkpoint", b"old")[0] == 400
        assert ask(connection, "POST", "/add-checkpoint", log.request(5, 9))[0] == 200


def test_a_client_that_trickles_is_cut_off_although_it_is_never_silent(opened: Store, log: History) -> None:
    """Ten bytes a second would hold a thread for as long as the client likes."""
    with listening(opened, request_seconds=0.3) as server, ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.server_port), timeout=10))
        is_cut_off = False
        for _ in range(200):
            try:
                connection.sendall(b"X")
            except OSError:
                is_cut_off = True
                break
            time.sleep(0.05)
        assert is_cut_off
        # Honest clients are served meanwhile and after.
        with connected(server) as honest:
            assert ask(honest, "POST", "/add-checkpoint", log.request(0, 5))[0] == 200


def is_open(connection: http.client.HTTPConnection) -> bool:
    """Asked over the connection as it is: the client would open it anew."""
    try:
        connection.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        return connection.sock.recv(65_536) != b""
    except OSError:
        return False


def test_of_too_many_connections_the_one_that_sat_there_longest_makes_room(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.evidence.witness.server._MAX_CONNECTIONS", 3)
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(3)]
        for connection in held:
            assert ask(connection, "GET", "/")[0] == 404
        # The first to come is the last that asked for something.
        assert ask(held[0], "GET", "/")[0] == 404
        later = stack.enter_context(connected(server))
        assert ask(later, "GET", "/")[0] == 404
        assert [is_open(connection) for connection in (*held, later)] == [True, False, True, True]


def test_clients_that_only_sit_there_keep_nobody_out(server: WitnessServer, log: History) -> None:
    """Each is alive and asks for something now and then."""
    with ExitStack() as stack:
        for _ in range(64):
            sitting = stack.enter_context(connected(server))
            assert ask(sitting, "GET", "/")[0] == 404
        for old, size in ((0, 5), (5, 6), (6, 7)):
            with connected(server) as honest:
                assert ask(honest, "POST", "/add-checkpoint", log.request(old, size))[0] == 200


def test_a_client_that_sends_half_a_request_makes_room_as_well(
    server: WitnessServer, log: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.evidence.witness.server._MAX_CONNECTIONS", 2)
    with ExitStack() as stack:
        for _ in range(5):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", server.server_port), timeout=10))
            slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        with connected(server) as honest:
            assert ask(honest, "POST", "/add-checkpoint", log.request(0, 5))[0] == 200


def test_a_client_that_goes_away_in_the_middle_leaves_the_witness_as_it_was(
    server: WitnessServer, log: History
) -> None:
    body = log.request(0, 5)
    head = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(head + body[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(65_536)
    with connected(server) as honest:
        assert ask(honest, "GET", f"/{HASH}/checkpoint")[0] == 404


def test_no_address_of_a_client_is_logged(
    server: WitnessServer, log: History, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        with connected(server) as connection:
            assert ask(connection, "POST", "/add-checkpoint", log.request(0, 5))[0] == 200
            assert ask(connection, "GET", "/erika.mustermann")[0] == 404
        raw(server, b"nonsense\r\n\r\n")
    said = caplog.text + "".join(capfd.readouterr())
    assert f"Cosigned {ORIGIN} at size 5" in said
    assert "127.0.0.1" not in said
    assert "erika" not in said


def test_a_signal_ends_it_after_the_request_that_is_under_way(opened: Store, log: History) -> None:
    server = WitnessServer(("127.0.0.1", 0), Cosigner(opened))
    before = signal.getsignal(signal.SIGTERM)
    replies: list[int] = []

    def client() -> None:
        with connected(server) as connection:
            replies.append(ask(connection, "POST", "/add-checkpoint", log.request(0, 5))[0])
            os.kill(os.getpid(), signal.SIGTERM)
            # The connection is open and idle: it must not keep the process alive.
            connection.sock.recv(1)
            replies.append(0)

    thread = threading.Thread(target=client)
    thread.start()
    serve(server)
    thread.join()
    assert replies == [200, 0]
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(ConnectionRefusedError), connected(server) as connection:
        connection.connect()
