"""The smallest processor that keeps to the protocol, over HTTP: requests are only remembered, and moved on by the test."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from compliance.opendsr import creation, discovery, error_object, responses
from compliance.opendsr.callbacks import Callback
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import DIALECTS, Dialect
from compliance.opendsr.discovery import DiscoveryDocument
from compliance.opendsr.error_object import ErrorObject
from compliance.opendsr.errors import OpenDsrError
from compliance.opendsr.identities import IdentityKind
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.responses import Acknowledgement, Cancellation, StatusReport
from compliance.opendsr.signing_identity import SigningIdentity
from compliance.opendsr.statuses import RequestStatus
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, SubjectRequestType

from .authority import AT
from .simulator import SCHEMES, Answer, Wire

CERTIFICATE_PATH = "/v2/certificate.pem"
CONTROLLER_ID = "example-controller"


@dataclass(frozen=True)
class Reply:
    """An answer before it is signed."""

    status: HTTPStatus
    body: bytes
    is_signed: bool = True


@dataclass
class Held:
    """A request, the bytes and the version it came in, and how far it is."""

    request: CreateRequest
    body: bytes
    dialect: Dialect
    report: StatusReport


@dataclass
class Requests:
    """What the processor knows, and what it answers."""

    identity: SigningIdentity
    held: dict[str, Held] = field(default_factory=dict)

    @property
    def document(self) -> DiscoveryDocument:
        """What it says of itself."""
        return DiscoveryDocument(
            api_version="2.0",
            supported_identities=(IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW),),
            supported_types=(SubjectRequestType.ERASURE,),
            processor_certificate=f"https://{self.identity.domain}{CERTIFICATE_PATH}",
        )

    def answer(self, method: str, path: str, body: bytes) -> tuple[Reply, Dialect]:
        """The answer to a question, and the version that it was asked in."""
        dialect = next((each for each in DIALECTS if path.startswith(each.requests_path)), DIALECTS[0])
        if path in {each.discovery_path for each in DIALECTS}:
            return Reply(HTTPStatus.OK, self.document.to_bytes(), is_signed=False), dialect
        if path == CERTIFICATE_PATH:
            return Reply(HTTPStatus.OK, self.identity.chain_pem(), is_signed=False), dialect
        if not path.startswith(dialect.requests_path):
            return _refusal(HTTPStatus.NOT_FOUND, "There is nothing here."), dialect
        try:
            return self._create(body, dialect) if method == "POST" else self._of_one(method, path, dialect), dialect
        except OpenDsrError as error:
            return Reply(error.status, error_object.of(error).to_bytes(), is_signed=False), dialect

    def _create(self, body: bytes, dialect: Dialect) -> Reply:
        request = creation.parse(body, dialect, self.identity.domain, SCHEMES)
        choice = discovery.choose(request, self.document)
        outcome = Outcome(due_at=AT + timedelta(days=30), ignored_identities=choice.ignored)
        acknowledgement = Acknowledgement(
            controller_id=CONTROLLER_ID,
            subject_request_id=request.subject_request_id,
            expected_completion_at=AT + timedelta(days=30),
            received_at=AT,
            outcome=outcome,
        )
        known = self.held.get(str(request.subject_request_id))
        if known is not None and known.body != body:
            return _refusal(HTTPStatus.BAD_REQUEST, "This id was used before, for something else.")
        if known is not None:
            return Reply(responses.CREATED, acknowledgement.to_bytes(body, self.identity.domain))
        report = StatusReport(
            controller_id=CONTROLLER_ID,
            subject_request_id=request.subject_request_id,
            status=RequestStatus.PENDING,
            expected_completion_at=acknowledgement.expected_completion_at,
            api_version=dialect.api_version,
            outcome=outcome,
        )
        self.held[str(request.subject_request_id)] = Held(request, body, dialect, report)
        return Reply(responses.CREATED, acknowledgement.to_bytes(body, self.identity.domain))

    def _of_one(self, method: str, path: str, dialect: Dialect) -> Reply:
        request_id = path.removeprefix(f"{dialect.requests_path}/")
        if request_id not in self.held:
            return _refusal(HTTPStatus.NOT_FOUND, "There is no such request.")
        held = self.held[request_id]
        if method == "GET":
            return Reply(responses.FOUND, held.report.to_bytes(self.identity.domain))
        if held.report.status is not RequestStatus.PENDING:
            return _refusal(HTTPStatus.BAD_REQUEST, "Only a pending request can be cancelled.")
        held.report = replace(held.report, status=RequestStatus.CANCELLED)
        cancellation = Cancellation(
            controller_id=CONTROLLER_ID, subject_request_id=held.request.subject_request_id, received_at=AT
        )
        return Reply(responses.CANCELLED, cancellation.to_bytes())

    def move(self, request_id: str, status: RequestStatus) -> list[Answer]:
        """Tell all addresses of a request that it has come so far; their answers."""
        held = self.held[request_id]
        held.report = replace(held.report, status=status)
        return [self.call(held, url) for url in held.request.status_callback_urls]

    def call(self, held: Held, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One callback."""
        body = Callback(held.report, url).to_bytes(self.identity.domain)
        signed = headers or self.identity.headers(body, held.dialect)
        return post(url, body, signed)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post JSON."""
    parts = urlsplit(url)
    wire = Wire(f"{parts.scheme}://{parts.netloc}")
    return wire.send("POST", parts.path, body, {"Content-Type": responses.MEDIA_TYPE, **headers})


class StubProcessor:
    """`with StubProcessor(identity) as processor:` listens until the block ends."""

    def __init__(self, identity: SigningIdentity) -> None:
        self.requests = Requests(identity)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.requests))
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
    def wire(self) -> Wire:
        """How it is reached."""
        return Wire(f"http://127.0.0.1:{self._server.server_address[1]}")


def _refusal(status: HTTPStatus, message: str) -> Reply:
    return Reply(status, ErrorObject(status=status, message=message).to_bytes(), is_signed=False)


def _handler(requests: Requests) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Signs what `Requests` answers."""

        timeout = 10

        def do_GET(self) -> None:
            """Discovery, certificate, status."""
            self._answer("GET")

        def do_POST(self) -> None:
            """A creation."""
            self._answer("POST")

        def do_DELETE(self) -> None:
            """A cancellation."""
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply, dialect = requests.answer(method, self.path, body)
            self.send_response(reply.status)
            signed = requests.identity.headers(reply.body, dialect) if reply.is_signed else {}
            headers = {"Content-Length": str(len(reply.body)), "Content-Type": responses.MEDIA_TYPE, **signed}
            for name, value in {**responses.NO_STORE, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
            """Nothing is written beside the results of the tests."""

    return Handler
