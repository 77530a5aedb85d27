"""A controller over HTTP: creates requests, asks, cancels, takes in callbacks, and believes only what is signed.

It knows the processor by its base URL and its domain, which need not resolve: the certificate is fetched from the base
URL. Times come from a clock that is handed in, so that certificates made for a test stay valid.
"""

import http.client
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509

from compliance.opendsr import certificates, discovery, error_object, receiver, responses
from compliance.opendsr.callbacks import Callback
from compliance.opendsr.certificates import TrustPolicy
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.discovery import DiscoveryDocument
from compliance.opendsr.error_object import ErrorObject
from compliance.opendsr.errors import CertificateUnavailableError, OpenDsrError
from compliance.opendsr.receiver import SignedMessage
from compliance.opendsr.responses import Acknowledgement, Cancellation, StatusReport

TIMEOUT_SECONDS = 10
MAX_ANSWER_BYTES = 2**20
CALLBACK_PATH = "/opendsr/callbacks"
SCHEMES = frozenset({"http", "https"})


class RefusedByProcessorError(Exception):
    """The processor answered with an error object."""

    def __init__(self, status: int, error: ErrorObject) -> None:
        super().__init__(f"{status}: {error.message}")
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Answer:
    """What came back, unread."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Wire:
    """Plain HTTP to one server, whose base URL may have a path; `headers` go with each question."""

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One exchange; redirects are not followed."""
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        sent = {"Accept": responses.MEDIA_TYPE, **self.headers, **(headers or {})}
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read(MAX_ANSWER_BYTES))
        finally:
            connection.close()


@dataclass
class DiscoveredCertificates:
    """A memory in front of a processor's discovery document."""

    wire: Wire
    dialect: Dialect
    known: dict[str, Sequence[x509.Certificate]] = field(default_factory=dict)

    def chain_of(self, domain: str, *, anew: bool) -> Sequence[x509.Certificate]:
        """The chain that the processor publishes."""
        if anew or domain not in self.known:
            self.known[domain] = self._fetch(domain)
        return self.known[domain]

    def _fetch(self, domain: str) -> Sequence[x509.Certificate]:
        document = self.document()
        discovery.refuse_other_host(document, domain)
        answer = self.wire.send("GET", urlsplit(document.processor_certificate).path)
        if answer.status != HTTPStatus.OK:
            raise CertificateUnavailableError("Expected the certificate where the discovery document says it is.")
        return certificates.parse_chain(answer.body)

    def document(self) -> DiscoveryDocument:
        """What the processor says of itself."""
        return discovery.parse(
            _accepted(self.wire.send("GET", self.dialect.discovery_path), HTTPStatus.OK).body, SCHEMES
        )


class Memory:
    """Fingerprints of callbacks until their time is over."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._guard = threading.Lock()

    def is_first(self, fingerprint: str, until: datetime) -> bool:
        """Remember it; False if it is remembered already."""
        with self._guard:
            now = self._clock()
            self._until = {each: end for each, end in self._until.items() if end > now}
            return self._until.setdefault(fingerprint, until) is until


class Controller:
    """`with Controller(…) as controller:` listens on a free port of this machine until the block ends."""

    def __init__(
        self, wire: Wire, domain: str, policy: TrustPolicy, dialect: Dialect, clock: Callable[[], datetime]
    ) -> None:
        self.wire, self.domain, self.policy, self.dialect = wire, domain, policy, dialect
        self.source = DiscoveredCertificates(wire, dialect)
        self.callbacks: list[Callback] = []
        self.refusals: list[OpenDsrError] = []
        # What came in, unread, believed or not.
        self.arrived: list[SignedMessage] = []
        # What the next callbacks are answered with before anything is read, as by a receiver in trouble.
        self.troubles: list[HTTPStatus] = []
        self._clock, self._memory = clock, Memory(clock)
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def callback_url(self) -> str:
        """Where callbacks are taken in."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{CALLBACK_PATH}"

    def discover(self) -> DiscoveryDocument:
        """What the processor says of itself."""
        return self.source.document()

    def create(self, request: CreateRequest) -> Acknowledgement:
        """Send a request; raises RefusedByProcessorError, OpenDsrError."""
        return self.create_raw(request.to_bytes(self.domain))

    def create_raw(self, body: bytes) -> Acknowledgement:
        """Send any bytes as a request."""
        headers = {"Content-Type": responses.MEDIA_TYPE}
        answer = self.wire.send("POST", self.dialect.requests_path, body, headers)
        return responses.parse_acknowledgement(self._signed(answer, responses.CREATED), body, self.domain)

    def ask(self, request_id: uuid.UUID) -> StatusReport:
        """How far the request is."""
        answer = self.wire.send("GET", self.dialect.request_path(str(request_id)))
        return responses.parse_status(self._signed(answer, responses.FOUND), self.domain)

    def cancel(self, request_id: uuid.UUID) -> Cancellation:
        """Take the request back."""
        answer = self.wire.send("DELETE", self.dialect.request_path(str(request_id)))
        return responses.parse_cancellation(self._signed(answer, responses.CANCELLED))

    def take_in(self, message: SignedMessage) -> HTTPStatus:
        """A callback that arrived, and the status that answers it."""
        with self._arrived:
            self.arrived.append(message)
            status = self.troubles.pop(0) if self.troubles else self._judge(message)
            self._arrived.notify_all()
        return status

    def wait_for(self, n_callbacks: int) -> list[Callback]:
        """The callbacks so far, once there are so many; raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.callbacks) >= n_callbacks, TIMEOUT_SECONDS):
                raise TimeoutError(f"Expected {n_callbacks} callbacks, found {len(self.callbacks)}: {self.refusals}")
            return list(self.callbacks)

    def _judge(self, message: SignedMessage) -> HTTPStatus:
        try:
            callback = receiver.receive(
                message,
                policy=self.policy,
                source=self.source,
                own_urls={self.callback_url},
                seen=self._memory,
                at=self._clock(),
                schemes=SCHEMES,
            )
        except OpenDsrError as error:
            self.refusals.append(error)
            return error.status
        self.callbacks.append(callback)
        return HTTPStatus.ACCEPTED

    def _signed(self, answer: Answer, expected: HTTPStatus) -> bytes:
        accepted = _accepted(answer, expected)
        message = SignedMessage(headers=accepted.headers, body=accepted.body)
        return receiver.verify_answer(message, self.domain, self.policy, self.source, self._clock()).body


def _accepted(answer: Answer, expected: HTTPStatus) -> Answer:
    if answer.status != expected:
        raise RefusedByProcessorError(answer.status, error_object.parse(answer.body))
    return answer


def _handler(controller: Controller) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Takes in what is posted to the one address."""

        timeout = TIMEOUT_SECONDS

        def do_POST(self) -> None:
            """A callback."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = HTTPStatus.NOT_FOUND
            if self.path == CALLBACK_PATH:
                status = controller.take_in(SignedMessage(headers=tuple(self.headers.items()), body=body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
            """Nothing is written beside the results of the tests."""

    return Handler
