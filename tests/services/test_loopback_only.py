"""The guard that keeps tests on this machine. It is on in this very process."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.loopback_only import NetworkRefusedError, refuser

# Addresses set aside for documentation (RFC 5737, RFC 3849): nobody answers there.
ELSEWHERE = ("192.0.2.1", 9)
ELSEWHERE_IPV6 = ("2001:db8::1", 9, 0, 0)


def connect(family: socket.AddressFamily, address: tuple[object, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.connect(address)


def send_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"x", ELSEWHERE)


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda: connect(socket.AF_INET, ELSEWHERE), id="connect over IPv4"),
        pytest.param(lambda: connect(socket.AF_INET6, ELSEWHERE_IPV6), id="connect over IPv6"),
        pytest.param(send_datagram, id="send a datagram"),
        pytest.param(lambda: socket.getaddrinfo("example.org", 443), id="look up a name"),
    ],
)
def test_it_refuses_to_leave_this_machine(attempt: Callable[[], object]) -> None:
    with pytest.raises(NetworkRefusedError, match="A test tried to reach"):
        attempt()


def test_it_allows_loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect(socket.AF_INET, server.getsockname())


def test_it_allows_unix_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


def test_it_allows_the_hosts_of_the_given_services() -> None:
    refuse = refuser(["db.example.org"])

    refuse("socket.getaddrinfo", ("db.example.org", 5432, 0, 0, 0))
    with pytest.raises(NetworkRefusedError):
        refuse("socket.getaddrinfo", ("example.org", 5432, 0, 0, 0))
