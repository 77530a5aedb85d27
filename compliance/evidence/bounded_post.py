"""One HTTP POST to a stranger: it ends within its time, reads a bounded answer, and follows nobody elsewhere.

Time limits of sockets begin anew with each byte, so a peer that trickles could hold a caller for ever. Here the
connection is shut when the time is over, from before the TLS handshake until after the last byte.
"""

import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit


class NoAnswerError(OSError):
    """No whole answer in time."""


class TimedOutError(NoAnswerError):
    """The time was over before there was an answer."""


class UnprovenPeerError(NoAnswerError):
    """TLS did not come about: an unknown issuer, another name, an expired certificate, no common version."""


class NotHttpError(NoAnswerError):
    """What came is no answer of HTTP."""


class TooLongAnswerError(OSError):
    """More bytes than the caller allows."""


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status says."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A server whose name was looked up before, so that nobody looks it up again on the way to it.

    `host` is the name that the certificate has to show; `addresses` are where to connect, in this order; `path` has
    the query with it. Without `tls` the exchange is in clear.
    """

    host: str
    port: int
    path: str
    addresses: Sequence[str]
    tls: ssl.SSLContext | None


@dataclass(frozen=True)
class Status:
    """The beginning of an answer: its status, and its Retry-After as it was sent."""

    status: int
    retry_after: str


def refuse_other_url(url: str, *, has_query: bool = False) -> None:
    """Raises ValueError for anything but an http or https URL with a host and no user, query or fragment."""
    parts = urlsplit(url)
    forbidden = set("#@") if has_query else set("?#@")
    is_plain = url.isascii() and url.isprintable() and " " not in url and not forbidden & set(url)
    # Reading the port raises ValueError where it is none.
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain or parts.port == 0:
        raise ValueError("Expected an http or https address with a host, and no user or fragment; found another.")


def post(url: str, body: bytes, content_type: str, *, max_bytes: int, timeout_seconds: float) -> Reply:
    """The answer of this URL, for any status; raises NoAnswerError, TooLongAnswerError, ValueError for the URL.

    Messages quote nothing that the peer sent.
    """
    refuse_other_url(url, has_query=True)
    deadline = _Deadline(timeout_seconds)
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, body, {"Content-Type": content_type}, method="POST"
    )
    try:
        with _opener(deadline).open(request, timeout=timeout_seconds) as response:
            announced = response.length
            answer = response.read(max_bytes + 1)
            reply = Reply(response.status, response.headers.get("Content-Type", ""), answer)
    except (OSError, URLError, http.client.HTTPException) as error:
        raise NoAnswerError(f"No answer came within {timeout_seconds:g} seconds ({type(error).__name__}).") from error
    finally:
        deadline.end()
    if len(answer) > max_bytes:
        raise TooLongAnswerError(f"Expected an answer of at most {max_bytes} bytes, found more.")
    if deadline.is_over or len(answer) < (announced or 0):
        raise NoAnswerError(f"The answer did not end within {timeout_seconds:g} seconds.")
    return reply


def send(peer: Peer, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Status:
    """POST to exactly these addresses, through no proxy, and read no more of the answer than its head.

    Raises TimedOutError, UnprovenPeerError, NotHttpError, NoAnswerError when nobody was reached, and ValueError for
    headers that would end a line. Messages quote nothing that the peer sent.
    """
    deadline = _Deadline(timeout_seconds, peer.addresses)
    connection = _connection(deadline, peer, timeout_seconds)
    try:
        connection.request("POST", peer.path, body, dict(headers))
        with connection.getresponse() as response:
            answer = Status(response.status, response.getheader("Retry-After", ""))
    except (OSError, http.client.HTTPException) as error:
        raise _failure(error, deadline)(f"No answer came ({type(error).__name__}).") from error
    finally:
        connection.close()
        deadline.end()
    # To the library, headers that were cut off have ended.
    if deadline.is_over:
        raise TimedOutError(f"The answer did not begin within {timeout_seconds:g} seconds.")
    return answer


def _connection(deadline: "_Deadline", peer: Peer, timeout_seconds: float) -> http.client.HTTPConnection:
    if peer.tls is None:
        return _HttpConnection(deadline, peer.host, port=peer.port, timeout=timeout_seconds)
    return _HttpsConnection(deadline, peer.host, port=peer.port, timeout=timeout_seconds, context=peer.tls)


def _failure(error: Exception, deadline: "_Deadline") -> type[NoAnswerError]:
    # A connection that the deadline shut fails in any of the other ways.
    if deadline.is_over or isinstance(error, TimeoutError):
        return TimedOutError
    if isinstance(error, ssl.SSLError):
        return UnprovenPeerError
    # A peer that hangs up without a word is of both kinds.
    if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
        return NotHttpError
    return NoAnswerError


def _opener(deadline: "_Deadline") -> urllib.request.OpenerDirector:
    """What fetches, without the handlers that follow redirects, raise on a status, or read files."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Http(deadline), _Https(deadline)):
        opener.add_handler(handler)
    return opener


class _Deadline:
    """Shuts a connection when its time is over. With `addresses`, it connects to the first of them that takes it."""

    def __init__(self, seconds: float, addresses: Sequence[str] = ()) -> None:
        self.is_over = False
        self._addresses = addresses
        self._connection: socket.socket | None = None
        self._guard = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def connect(self, *arguments: Any) -> socket.socket:
        """Connect as `socket.create_connection` does, and keep a second handle, which TLS does not take away."""
        connection = self._connected(*arguments)
        with self._guard:
            self._connection = connection.dup()
        if self.is_over:
            self._shut()
        return connection

    def _connected(self, address: tuple[str, int], timeout: float, *others: Any) -> socket.socket:
        if not self._addresses:
            return socket.create_connection(address, timeout, *others)
        for last, known in enumerate(self._addresses, 1):
            try:
                # An address that swallows everything leaves time for the next one.
                connection = socket.create_connection((known, address[1]), timeout / len(self._addresses))
            except OSError:
                if last == len(self._addresses) or self.is_over:
                    raise
            else:
                connection.settimeout(timeout)
                return connection
        raise NoAnswerError("No address was left to try.")

    def end(self) -> None:
        """The exchange is over, one way or the other."""
        self._timer.cancel()
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _shut(self) -> None:
        self.is_over = True
        with self._guard:
            if self._connection is not None:
                try:
                    self._connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # The peer closed it a moment ago.
                    return


class _HttpConnection(http.client.HTTPConnection):
    """A connection that a deadline can shut."""

    def __init__(self, deadline: _Deadline, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._create_connection = deadline.connect


class _HttpsConnection(http.client.HTTPSConnection):
    """The same over TLS, from before its handshake."""

    def __init__(self, deadline: _Deadline, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._create_connection = deadline.connect


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Called by urllib for an `http` URL."""
        return self.do_open(lambda host, **options: _HttpConnection(self._deadline, host, **options), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Called by urllib for an `https` URL; certificates and names are checked."""
        return self.do_open(lambda host, **options: _HttpsConnection(self._deadline, host, **options), req)
