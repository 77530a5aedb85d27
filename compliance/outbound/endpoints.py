"""Where a message may go: how an address is spelled, and where its name leads.

The spelling is judged when an address is taken in, and again before each try. The name is looked up once a try, and
the connection goes to the addresses found: a name that says something else a moment later changes nothing.
"""

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from compliance.outbound.errors import AddressRefusedError, NameUnknownError
from compliance.outbound.public_addresses import is_public

MAX_URL_CHARACTERS = 2048
MAX_ADDRESSES = 4
LOOKUP_SECONDS = 5.0
_MAX_HOST_CHARACTERS = 253
_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# What the C library would read as an address: 2130706433, 0x7f.1, 0177.0.0.1 are all 127.0.0.1.
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_HELP = "EXPUNGE_OUTBOUND_ALLOWED_HOSTS names hosts of which you know better."

Lookup = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A URL in its parts. `host` is in lower case, an address without brackets; `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_allowed_by_name(self) -> bool:
        """Whether the operator vouches for this host."""
        return self.host in settings.OUTBOUND_ALLOWED_HOSTS


def parse(url: str) -> Endpoint:
    """The parts of a URL that messages may be sent to; raises AddressRefusedError, which does not quote it.

    A name that is not ASCII has to be written in its ASCII form (A-labels, RFC 5890): which one it has depends on who
    translates it.
    """
    parts = _split(url)
    port = _port(parts)
    endpoint = Endpoint(
        scheme=parts.scheme,
        host=_host(parts),
        port=_PORTS[parts.scheme] if port is None else port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    _refuse_unless_usual(endpoint)
    return endpoint


def addresses_of(endpoint: Endpoint, lookup: Lookup | None = None) -> tuple[str, ...]:
    """The IP addresses to connect to, looked up once; raises NameUnknownError, or AddressRefusedError.

    One that is not public is enough to refuse a host that is not allowed by name. A host that is an address is not
    looked up.
    """
    literal = _as_address(endpoint.host)
    texts = [endpoint.host] if literal is not None else (lookup or look_up)(endpoint.host, endpoint.port)
    found = [_as_address(text) for text in texts]
    if not found:
        raise NameUnknownError("Expected the name of a host, found one that leads nowhere.")
    if not endpoint.is_allowed_by_name and not all(address is not None and is_public(address) for address in found):
        raise AddressRefusedError(f"Expected a host on the open internet, found one in a closed network. {_HELP}")
    return tuple(texts[:MAX_ADDRESSES])


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name in the system's order of preference, each once; raises NameUnknownError.

    The C library knows no time limit, so it is asked in a thread of its own, which is left behind when it takes long.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(address[0]) for *_, address in answers))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(LOOKUP_SECONDS)
    if thread.is_alive():
        raise NameUnknownError(f"The name of the host was not looked up within {LOOKUP_SECONDS:g} seconds.")
    return found


def _split(url: str) -> SplitResult:
    is_plain = url.isascii() and url.isprintable() and not set(' \\#<>"') & set(url)
    if not is_plain or len(url) > MAX_URL_CHARACTERS:
        raise AddressRefusedError(
            f"Expected a URL of at most {MAX_URL_CHARACTERS} ASCII characters without spaces and fragment, found "
            "another. Write an international name in its ASCII form, as in xn--bcher-kva.example."
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise AddressRefusedError("Expected a URL, found something else.") from error
    if parts.scheme not in _PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise AddressRefusedError("Expected an address that begins with https://, found another.")
    if "@" in parts.netloc:
        raise AddressRefusedError("Expected an address without user and password, found one with.")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError as error:
        raise AddressRefusedError("Expected a port from 1 to 65535, found something else.") from error
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressRefusedError("Expected a port from 1 to 65535, found none after the colon.")
    return port


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    address = _as_address(host)
    if "[" in parts.netloc or "]" in parts.netloc:
        if isinstance(address, IPv6Address) and address.scope_id is None:
            return address.compressed
    elif isinstance(address, IPv4Address) or (
        _NAME.fullmatch(host) and len(host) <= _MAX_HOST_CHARACTERS and not _ENDS_IN_A_NUMBER.fullmatch(host)
    ):
        return host
    raise AddressRefusedError("Expected the name of a host, or an IP address in its usual form, found something else.")


def _as_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _refuse_unless_usual(endpoint: Endpoint) -> None:
    if endpoint.is_allowed_by_name:
        return
    if endpoint.scheme != "https" and not settings.DEBUG:
        raise AddressRefusedError(f"Expected an address that begins with https://, found one without TLS. {_HELP}")
    if endpoint.port != _PORTS[endpoint.scheme]:
        raise AddressRefusedError(f"Expected the usual port of {endpoint.scheme}, found another. {_HELP}")
    address = _as_address(endpoint.host)
    if address is not None and not is_public(address):
        raise AddressRefusedError(f"Expected a host on the open internet, found one in a closed network. {_HELP}")
