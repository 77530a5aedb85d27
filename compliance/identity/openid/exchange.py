"""One exchange with the identity provider: within its time, with a bounded answer, and following nobody elsewhere.

The rules for addresses are those of everything that goes out (compliance/outbound/endpoints.py): TLS, and the open
internet unless the operator vouches for the host. The connection goes to the addresses that were checked.
"""

import json
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import httpcore2
from django.conf import settings

from compliance.identity.errors import ProviderError
from compliance.outbound import endpoints
from compliance.outbound.errors import OutboundError

TOTAL_SECONDS = 10.0
MAX_BYTES = 256 * 1024
_NETWORK_ERRORS = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError)


class ClientAuthentication(Protocol):
    """How a client shows who it is (`authlib.oauth2.auth.ClientAuth`)."""

    def prepare(self, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]: ...


@dataclass(frozen=True)
class Answer:
    """A status and a body, as authlib reads them."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        """The document; raises ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("JSON that is nested too deep") from None

    def raise_for_status(self) -> None:
        """Raises ProviderError for a status that is no success."""
        if self.status_code >= 400:
            raise ProviderError(f"The identity provider answered with the status {self.status_code}.")


class Session:
    """What authlib's client sends its requests through."""

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuthentication
    ) -> Answer:
        """Post a form; raises ProviderError."""
        url, prepared, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _exchange("POST", url, prepared, body.encode())


def get_object(url: str) -> dict[str, Any]:
    """The JSON object at this address; raises ProviderError."""
    answer = _exchange("GET", url, {"Accept": "application/json"}, b"")
    if answer.status_code != 200:
        raise ProviderError(f"Expected the status 200 of the identity provider, found {answer.status_code}.")
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderError("Expected a JSON object of the identity provider, found something else.")
    return document


def refuse_other_address(url: object) -> None:
    """Raises ProviderError unless this is an address that may be asked, or that a browser may be sent to."""
    try:
        endpoints.parse(url if isinstance(url, str) else "")
    except OutboundError as error:
        raise ProviderError(f"An address of the identity provider is refused. {error}") from error


def _exchange(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    try:
        endpoint = endpoints.parse(url)
        backend = _BoundedBackend(endpoints.addresses_of(endpoint), time.monotonic() + TOTAL_SECONDS)
        sent = [("User-Agent", "Expunge"), *headers.items()]
        with (
            httpcore2.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream(method, url, headers=sent, content=body) as response,
        ):
            return Answer(response.status, _bounded(response.iter_stream()))
    except OutboundError as error:
        raise ProviderError(f"An address of the identity provider is refused. {error}") from error
    except _NETWORK_ERRORS as error:
        raise ProviderError(
            f"The identity provider did not answer ({type(error).__name__}). Try again later."
        ) from None


def _bounded(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            raise ProviderError(
                f"Expected an answer of at most {MAX_BYTES} bytes of the identity provider, found more."
            )
    return bytes(body)


def _tls() -> ssl.SSLContext:
    """The authorities of the system, and those of the operator beside them. Names are checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.OUTBOUND_CA_PATH is not None:
        context.load_verify_locations(cafile=settings.OUTBOUND_CA_PATH)
    return context


class _BoundedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked before, and gives each step no more time than is left of the whole."""

    def __init__(self, addresses: Sequence[str], ends_at: float) -> None:
        self._addresses = addresses
        self._ends_at = ends_at

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Called by the pool."""
        for last, address in enumerate(self._addresses, 1):
            share = _left(self._ends_at) / (len(self._addresses) - last + 1)
            try:
                stream = httpcore2.SyncBackend().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.NetworkError, httpcore2.TimeoutException):
                if last == len(self._addresses):
                    raise
            else:
                return _BoundedStream(stream, self._ends_at)
        raise httpcore2.ConnectError("No address was left to try.")


class _BoundedStream(httpcore2.NetworkStream):
    """A connection that ends with the time of the exchange: a peer that trickles gains nothing."""

    def __init__(self, stream: httpcore2.NetworkStream, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Called by the pool."""
        return self._stream.read(max_bytes, _left(self._ends_at))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Called by the pool."""
        self._stream.write(buffer, _left(self._ends_at))

    def close(self) -> None:
        """Called by the pool."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Called by the pool."""
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, _left(self._ends_at)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        """Called by the pool."""
        return self._stream.get_extra_info(info)


def _left(ends_at: float) -> float:
    """Seconds; raises ReadTimeout when there are none. (A time limit of 0 would mean: do not wait at all.)"""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("The time is over.")
    return left
