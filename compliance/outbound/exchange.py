"""One try on the wire: to a checked address, within bounded time, and what came of it in a closed vocabulary.

Next: compliance/evidence/bounded_post.py
"""

import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings

from compliance.evidence import bounded_post
from compliance.outbound import endpoints
from compliance.outbound.endpoints import Endpoint, Lookup
from compliance.outbound.errors import AddressRefusedError, NameUnknownError
from compliance.outbound.messages import Message
from compliance.outbound.models import Failure

# Longer than a receiver that first works and then answers should take; shorter than a worker may be kept.
TIMEOUT_SECONDS = 15.0
#: A try takes no longer: looking up the name, then the exchange.
MOST_SECONDS = endpoints.LOOKUP_SECONDS + TIMEOUT_SECONDS
_FAILURES: dict[type[OSError], Failure] = {
    bounded_post.TimedOutError: Failure.TIMED_OUT,
    bounded_post.UnprovenPeerError: Failure.TLS_FAILED,
    bounded_post.NotHttpError: Failure.BAD_ANSWER,
    bounded_post.NoAnswerError: Failure.NO_CONNECTION,
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A status with its Retry-After as sent, or why there is none."""

    status_code: int | None = None
    retry_after: str = ""
    failure: Failure | None = None
    duration_ms: int = 0

    @property
    def is_success(self) -> bool:
        """Any 2xx. A redirect is none: nobody is led elsewhere."""
        return self.status_code is not None and HTTPStatus.OK <= self.status_code < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_gone(self) -> bool:
        """The receiver wants to hear no more (RFC 9110, section 15.5.11)."""
        return self.status_code == HTTPStatus.GONE


def send(url: str, message: Message, *, lookup: Lookup | None = None) -> Outcome:
    """POST a message, and tell what came of it. Raises nothing that a receiver could cause."""
    begun = time.monotonic()
    try:
        endpoint = endpoints.parse(url)
        answer = bounded_post.send(
            _peer(endpoint, lookup),
            message.body,
            {"User-Agent": "Expunge", **message.headers},
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except AddressRefusedError:
        return _failed(Failure.ADDRESS_REFUSED, begun)
    except NameUnknownError:
        return _failed(Failure.NAME_UNKNOWN, begun)
    except bounded_post.NoAnswerError as error:
        return _failed(_FAILURES[type(error)], begun)
    return Outcome(status_code=answer.status, retry_after=answer.retry_after, duration_ms=_elapsed_ms(begun))


def _peer(endpoint: Endpoint, lookup: Lookup | None) -> bounded_post.Peer:
    return bounded_post.Peer(
        host=endpoint.host,
        port=endpoint.port,
        path=endpoint.path,
        addresses=endpoints.addresses_of(endpoint, lookup),
        tls=_tls() if endpoint.scheme == "https" else None,
    )


def _tls() -> ssl.SSLContext:
    """The authorities of the system, and those of the operator beside them. Names are checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.OUTBOUND_CA_PATH is not None:
        context.load_verify_locations(cafile=settings.OUTBOUND_CA_PATH)
    return context


def _failed(failure: Failure, begun: float) -> Outcome:
    return Outcome(failure=failure, duration_ms=_elapsed_ms(begun))


def _elapsed_ms(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
