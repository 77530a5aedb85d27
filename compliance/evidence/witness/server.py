"""The witness over HTTP: `POST /add-checkpoint` for logs, `GET /<hash of the origin>/checkpoint` for everybody.

Plain HTTP, meant to stand behind a proxy that speaks TLS. A request has fifteen seconds from its first to its last byte.
Of more than 64 connections the one that has gone without an answer the longest makes room, so that clients which only
sit there keep nobody out. Whoever opens connections faster than requests are answered still can: limit that in the
proxy. No address of a client is logged.
"""

import logging
import re
import signal
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import FrameType
from typing import Any

from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.service import MAX_REQUEST_BYTES, Answer

_logger = logging.getLogger(__name__)
_REQUEST_SECONDS = 15.0
_SILENCE_SECONDS = 5.0
_MAX_CONNECTIONS = 64
_MAX_ENDING = 64
_LENGTH = re.compile(r"0|[1-9][0-9]{0,9}")
_CHECKPOINT_PATH = re.compile(r"/([0-9a-f]{64})/checkpoint")


class WitnessServer(ThreadingHTTPServer):
    """Listens on one address for one witness. `request_seconds` is the time from a request's first to its last byte."""

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], cosigner: Cosigner, *, request_seconds: float = _REQUEST_SECONDS
    ) -> None:
        self.cosigner = cosigner
        self.request_seconds = request_seconds
        # When each began to wait for its request, the first to do so first; and those told to end.
        self._since: dict[socket.socket, float] = {}
        self._ending: set[socket.socket] = set()
        self._guard = threading.Lock()
        # IPv6 where the address is written so.
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for the own name, as HTTPServer would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection; when too many are open, another one makes room for it."""
        with self._guard:
            # Each that ends holds a thread for a moment.
            is_taken = len(self._ending) < _MAX_ENDING
            if is_taken and len(self._since) >= _MAX_CONNECTIONS:
                self._end(next(iter(self._since)))
            if is_taken:
                self._since[request] = time.monotonic()
        if is_taken:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def begin_request(self, connection: socket.socket) -> None:
        """A connection that is kept alive gets its time anew with each request, and is the last to make room."""
        with self._guard:
            if self._since.pop(connection, None) is not None:
                self._since[connection] = time.monotonic()

    def service_actions(self) -> None:
        """Called about twice a second: cut off what has been open for too long, however busy it looks."""
        began = time.monotonic() - self.request_seconds
        with self._guard:
            for connection in [each for each, since in self._since.items() if since < began]:
                self._end(connection)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and close it."""
        with self._guard:
            self._since.pop(request, None)
            self._ending.discard(request)
        super().shutdown_request(request)

    def _end(self, connection: socket.socket) -> None:
        """Its thread finds the connection closed, and forgets it. The caller holds the guard."""
        del self._since[connection]
        self._ending.add(connection)
        _hang_up(connection, socket.SHUT_RDWR)

    def stop(self) -> None:
        """Take no more requests, finish those that were received, and close; call it from another thread."""
        self.shutdown()
        with self._guard:
            for connection in self._since:
                _hang_up(connection, socket.SHUT_RD)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; anything else is logged without the client's address."""
        _logger.warning("A connection ended before its answer.", exc_info=_logger.isEnabledFor(logging.DEBUG))


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "expunge-witness"
    sys_version = ""
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"
    timeout = _SILENCE_SECONDS
    # Head and body of an answer are two short packets; without this the second waits for the client's receipt.
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Read one request and answer it."""
        self.server.begin_request(self.connection)
        super().handle_one_request()

    def do_POST(self) -> None:
        """`/add-checkpoint`: the body must carry its length."""
        body = self._read_body()
        if isinstance(body, Answer):
            # Where the next request would begin is not known.
            self.close_connection = True
            self._answer(body)
        elif self.path != "/add-checkpoint":
            self._answer(Answer(HTTPStatus.NOT_FOUND, b"Expected POST /add-checkpoint.\n"))
        else:
            self._answer(self.server.cosigner.add_checkpoint(body))

    def do_GET(self) -> None:
        """`/<hex SHA-256 of the origin>/checkpoint`: the newest note that was cosigned."""
        lengths = self.headers.get_all("Content-Length") or ["0"]
        if lengths != ["0"] or self.headers.get("Transfer-Encoding") is not None:
            # A body that nobody reads would be taken for the next request.
            self.close_connection = True
        path = _CHECKPOINT_PATH.fullmatch(self.path)
        note = self.server.cosigner.newest(path[1]) if path else None
        if note is None:
            self._answer(Answer(HTTPStatus.NOT_FOUND, b"No checkpoint of such a log was cosigned here.\n"))
        else:
            self._answer(Answer(HTTPStatus.OK, note))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Only what `_answer` says is logged."""

    def _read_body(self) -> bytes | Answer:
        """The body, or the answer to a request that has none."""
        lengths = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding") is not None or len(lengths) != 1:
            return Answer(HTTPStatus.LENGTH_REQUIRED, b"Expected a body with one Content-Length.\n")
        if not _LENGTH.fullmatch(lengths[0]):
            return Answer(HTTPStatus.BAD_REQUEST, b"Expected a Content-Length in decimal.\n")
        length = int(lengths[0])
        if length > MAX_REQUEST_BYTES:
            expected = f"Expected a body of at most {MAX_REQUEST_BYTES} bytes.\n"
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, expected.encode())
        body = self.rfile.read(length)
        if len(body) != length:
            return Answer(HTTPStatus.BAD_REQUEST, b"The body is shorter than its Content-Length.\n")
        return body

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        _logger.info("%s answered with %d", self.command, answer.status)


def serve(server: WitnessServer) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun; call it from the main thread."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    def listen() -> None:
        try:
            server.serve_forever()
        finally:
            stopping.set()

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    listening = threading.Thread(target=listen, name="witness")
    listening.start()
    try:
        stopping.wait()
    finally:
        server.stop()
        listening.join()
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _hang_up(connection: socket.socket, how: int) -> None:
    try:
        connection.shutdown(how)
    except OSError:
        # It was closed by the other side a moment ago.
        return
