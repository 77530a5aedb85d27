"""Asking a witness: strangers that lie, trickle or send elsewhere, then a real one."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import cosignature, witness_client
from compliance.evidence.errors import CheckpointKeyError, CheckpointMalformedError
from compliance.evidence.witness import store
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.server import WitnessServer
from compliance.evidence.witness.store import Store
from compliance.evidence.witness_client import (
    WitnessAnswerError,
    WitnessError,
    WitnessInconsistentError,
    WitnessRefusedError,
    WitnessSizeError,
    WitnessUnreachableError,
)

from .witness.history import History

LOG = History(key=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = LOG.note(5)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
VKEY = cosignature.vkey("dpo.example/w1", KEY.public_key())
Play = Callable[[socket.socket], None]


@contextmanager
def stranger(play: Play) -> Iterator[str]:
    """A server of one connection that reads the request and then does as it likes; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                received = b""
                while not received.endswith(NOTE):
                    received += connection.recv(65_536)
                try:
                    play(connection)
                except OSError:
                    # The client hung up, as it should.
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def answering(status: str, body: bytes = b"", headers: str = "") -> Play:
    def play(connection: socket.socket) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return play


def cosigned(note: bytes = NOTE, key: Ed25519PrivateKey = KEY, at: datetime | None = None) -> bytes:
    return cosignature.cosign(note, "dpo.example/w1", key, at or datetime.now(UTC).replace(microsecond=0))


SIZE = "Content-Type: text/x.tlog.size\r\n"
ANSWERS = [
    pytest.param(answering("200 OK"), WitnessAnswerError, False, id="nothing"),
    pytest.param(answering("200 OK", b"<html>"), WitnessAnswerError, False, id="a page"),
    pytest.param(answering("200 OK", cosigned()[:-1]), WitnessAnswerError, False, id="no final newline"),
    pytest.param(answering("200 OK", cosigned(LOG.note(6))), WitnessAnswerError, False, id="over another size"),
    pytest.param(
        answering("200 OK", cosigned(LOG.forked_at(2).note(5))), WitnessAnswerError, False, id="over another root"
    ),
    pytest.param(
        answering("200 OK", cosigned(key=Ed25519PrivateKey.generate())), WitnessAnswerError, False, id="by another key"
    ),
    pytest.param(answering("200 OK", b"\n" + cosigned()), WitnessAnswerError, False, id="behind an empty line"),
    pytest.param(answering("200 OK", b"text\n\n" + cosigned()), WitnessAnswerError, False, id="behind other text"),
    pytest.param(answering("200 OK", NOTE + cosigned()), WitnessAnswerError, False, id="with a whole note"),
    pytest.param(
        answering("200 OK", cosigned(at=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1))),
        WitnessAnswerError,
        False,
        id="an hour ago",
    ),
    pytest.param(
        answering("200 OK", cosigned(at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))),
        WitnessAnswerError,
        False,
        id="in an hour",
    ),
    pytest.param(answering("200 OK", b"x" * 70_000), WitnessAnswerError, False, id="a huge answer"),
    pytest.param(answering("201 Created", cosigned()), WitnessAnswerError, False, id="another success"),
    pytest.param(
        answering("302 Found", headers="Location: http://127.0.0.1:1/\r\n"), WitnessAnswerError, False, id="a redirect"
    ),
    pytest.param(
        answering("307 Again", headers="Location: file:///etc/passwd\r\n"), WitnessAnswerError, False, id="to a file"
    ),
    pytest.param(answering("400 Bad Request"), WitnessRefusedError, False, id="bad request"),
    pytest.param(answering("403 Forbidden"), WitnessRefusedError, False, id="forbidden"),
    pytest.param(answering("404 Not Found"), WitnessRefusedError, False, id="not found"),
    pytest.param(answering("409 Conflict", b"3\n", SIZE), WitnessSizeError, True, id="a smaller size"),
    pytest.param(answering("409 Conflict", b"9\n", SIZE), WitnessSizeError, True, id="a larger size"),
    pytest.param(answering("409 Conflict", b"4\n", SIZE), WitnessInconsistentError, False, id="the size that we said"),
    pytest.param(answering("409 Conflict", b"3\n"), WitnessAnswerError, False, id="a size without its type"),
    pytest.param(answering("409 Conflict", b"03\n", SIZE), WitnessAnswerError, False, id="a size with a leading zero"),
    pytest.param(answering("409 Conflict", b"3", SIZE), WitnessAnswerError, False, id="a size without its newline"),
    pytest.param(answering("409 Conflict", b"", SIZE), WitnessAnswerError, False, id="no size"),
    pytest.param(answering("422 No"), WitnessInconsistentError, False, id="inconsistent"),
    pytest.param(answering("429 Slow down"), WitnessUnreachableError, True, id="too many requests"),
    pytest.param(answering("500 Oh"), WitnessUnreachableError, True, id="a failure"),
    pytest.param(answering("503 Later"), WitnessUnreachableError, True, id="unavailable"),
    pytest.param(lambda connection: None, WitnessUnreachableError, True, id="no answer"),
    pytest.param(lambda connection: connection.sendall(b"\xff" * 100), WitnessUnreachableError, True, id="no HTTP"),
    pytest.param(
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + cosigned()),
        WitnessUnreachableError,
        True,
        id="an answer that breaks off",
    ),
]


@pytest.mark.parametrize(("play", "refusal", "is_retryable"), ANSWERS)
def test_no_such_answer_is_believed(play: Play, refusal: type[WitnessError], is_retryable: bool) -> None:
    with stranger(play) as url, pytest.raises(refusal) as caught:
        witness_client.add_checkpoint(url, VKEY, 4, LOG.path(4, 5), NOTE, timeout_seconds=5)
    assert caught.type is refusal
    assert caught.value.is_retryable == is_retryable


def trickle_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nA: ")
    for _ in range(1000):
        connection.sendall(b"b")
        time.sleep(0.02)


def trickle_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.02)


def say_nothing(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("play", [trickle_head, trickle_body, say_nothing])
def test_a_witness_that_is_slow_in_whatever_way_holds_nobody_up(play: Play) -> None:
    with stranger(play) as url, pytest.raises(WitnessUnreachableError):
        witness_client.add_checkpoint(url, VKEY, 4, LOG.path(4, 5), NOTE, timeout_seconds=0.3)


def test_nobody_at_the_address_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(WitnessUnreachableError, match=r"ConnectionRefusedError|URLError"):
        witness_client.add_checkpoint(url, VKEY, 0, [], NOTE)


def test_a_tls_address_without_tls_is_told_as_such() -> None:
    """The handshake is part of the time, too: the other side never answers it."""
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(WitnessUnreachableError):
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        witness_client.add_checkpoint(url, VKEY, 0, [], NOTE, timeout_seconds=0.3)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("witness.example", id="no scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("ftp://witness.example", id="another scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("http://user:secret@witness.example", id="a password"),
        pytest.param("http://witness.example/?a=b", id="a query"),
        pytest.param("http://witness.example/#a", id="a fragment"),
        pytest.param("http://witness.example:x/", id="a port that is none"),
        pytest.param("http://witness.example:99999/", id="a port out of range"),
        pytest.param("http://witness.example/a b", id="a space"),
        pytest.param("http://witness.example/\r\nA: b", id="a line break"),
    ],
)
def test_an_address_that_is_none_is_never_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|[Pp]ort"):
        witness_client.add_checkpoint(url, VKEY, 0, [], NOTE)


@pytest.mark.parametrize(
    ("vkey", "old_size", "path", "note", "refusal"),
    [
        pytest.param(LOG.vkey, 0, [], NOTE, CheckpointKeyError, id="a log's key"),
        pytest.param(VKEY, -1, [], NOTE, ValueError, id="a negative size"),
        pytest.param(VKEY, 4, [b"short"], NOTE, ValueError, id="a short hash"),
        pytest.param(VKEY, 4, [bytes(32)] * 64, NOTE, ValueError, id="too long a proof"),
        pytest.param(VKEY, 0, [], b"no note", CheckpointMalformedError, id="no note"),
    ],
)
def test_a_request_that_no_witness_would_take_is_not_sent(
    vkey: str, old_size: int, path: list[bytes], note: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        witness_client.add_checkpoint("http://127.0.0.1:1", vkey, old_size, path, note)


def test_lines_of_others_in_the_answer_are_ignored() -> None:
    other = cosignature.cosign(NOTE, "other.example", Ed25519PrivateKey.generate(), datetime(2026, 5, 1, tzinfo=UTC))
    line = cosigned()
    with stranger(answering("200 OK", other + line)) as url:
        assert witness_client.add_checkpoint(url, VKEY, 4, LOG.path(4, 5), NOTE).line == line


def test_a_request_has_the_form_of_the_specification() -> None:
    assert witness_client.request_body(0, [], NOTE) == b"old 0\n\n" + NOTE
    lines = witness_client.request_body(4, [bytes(32), bytes(32)], NOTE).split(b"\n")
    assert lines[:4] == [b"old 4", b"A" * 43 + b"=", b"A" * 43 + b"=", b""]


# --- A real witness ----------------------------------------------------------------------------------------------


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL and the vkey of a running witness that watches the log."""
    vkey = store.create(tmp_path / "witness", "dpo.example/w2")
    with Store.open(tmp_path / "witness") as opened:
        opened.add_log(LOG.vkey)
        server = WitnessServer(("127.0.0.1", 0), Cosigner(opened))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", str(vkey)
        server.stop()
        thread.join()


def test_a_log_is_cosigned_as_it_grows(witness: tuple[str, str]) -> None:
    url, vkey = witness
    for old_size, size in [(0, 0), (0, 1), (1, 2), (2, 7), (7, 8), (8, 39), (39, 39)]:
        note = LOG.note(size)
        found = witness_client.add_checkpoint(url, vkey, old_size, LOG.path(old_size, size), note)
        assert cosignature.verify(cosignature.add_line(note, found.line), {"w2": vkey}) == {"w2": found.cosigned_at}


def test_a_client_that_knows_nothing_learns_the_size_and_proves_from_there(witness: tuple[str, str]) -> None:
    url, vkey = witness
    witness_client.add_checkpoint(url, vkey, 0, [], LOG.note(7))
    with pytest.raises(WitnessSizeError) as caught:
        witness_client.add_checkpoint(url, vkey, 0, [], LOG.note(9))
    size = caught.value.witness_size
    assert size == 7
    assert witness_client.add_checkpoint(url, vkey, size, LOG.path(size, 9), LOG.note(9)).line


def test_a_fork_and_a_rollback_are_told_apart(witness: tuple[str, str]) -> None:
    url, vkey = witness
    witness_client.add_checkpoint(url, vkey, 0, [], LOG.note(7))
    fork = LOG.forked_at(3)
    for size in (7, 9):
        with pytest.raises(WitnessInconsistentError):
            witness_client.add_checkpoint(url, vkey, 7, fork.path(7, size), fork.note(size))
    # A database that was restored: the log is smaller than what it had signed.
    with pytest.raises(WitnessSizeError) as caught:
        witness_client.add_checkpoint(url, vkey, 3, LOG.path(3, 5), LOG.note(5))
    assert caught.value.witness_size == 7


def test_a_witness_under_another_key_is_not_believed(witness: tuple[str, str]) -> None:
    with pytest.raises(WitnessAnswerError, match="found none"):
        witness_client.add_checkpoint(witness[0], VKEY, 0, [], NOTE)


def test_a_log_that_is_not_watched_is_told_what_to_do(witness: tuple[str, str]) -> None:
    other = History(origin="ledger.example/2027")
    with pytest.raises(WitnessRefusedError, match="tell its operator") as caught:
        witness_client.add_checkpoint(*witness, 0, [], other.note(5))
    assert caught.value.status == 404
