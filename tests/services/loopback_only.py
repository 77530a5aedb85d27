"""Refuses every connection that leaves this machine, for the rest of the process.

It is an audit hook, so it sees each socket that Python code opens, whichever library asked for it.
"""

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

_CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}


class NetworkRefusedError(OSError):
    """A test tried to reach another machine."""


def refuser(allowed_hosts: Iterable[str] = ()) -> Callable[[str, tuple[Any, ...]], None]:
    """The audit hook: it raises NetworkRefusedError unless the peer is this machine or one of `allowed_hosts`."""
    allowed = {"localhost", *allowed_hosts}

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event in _CONNECTING and arguments[0].family in (socket.AF_INET, socket.AF_INET6) and arguments[1]:
            host = arguments[1][0]
        else:
            return
        name = host.decode() if isinstance(host, bytes) else host
        if name and name not in allowed and not _is_loopback(name):
            raise NetworkRefusedError(
                f"A test tried to reach {name}. Tests talk to unix sockets and loopback addresses only: "
                "start the service it needs on this machine."
            )

    return refuse


def install(allowed_hosts: Iterable[str] = ()) -> None:
    """Guard this process. It cannot be undone."""
    sys.addaudithook(refuser(allowed_hosts))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
