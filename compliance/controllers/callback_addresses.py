"""Where a controller may be called back: on hosts that were named when it was registered, and nowhere else."""

from collections.abc import Collection, Iterable, Sequence

from compliance.controllers.errors import InvalidControllerError
from compliance.controllers.named_identities import is_named
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.identities import Identity
from compliance.outbound import endpoints
from compliance.outbound.errors import AddressRefusedError

#: The engine judges further: without TLS only to hosts that the operator allows by name.
SCHEMES = frozenset({"http", "https"})
MAX_HOSTS = 20
_MEMBER = "status_callback_urls"
_TLS_PORT = 443


def hosts_named(names: Collection[str]) -> list[str]:
    """The hosts in lower case, each once; raises InvalidControllerError. None is allowed: then nothing is called."""
    if len(names) > MAX_HOSTS:
        raise InvalidControllerError(f"callback_hosts: expected at most {MAX_HOSTS}, found {len(names)}.")
    return sorted({_host(name) for name in names})


def allowed(urls: Sequence[str], hosts: Collection[str], identities: Iterable[Identity]) -> list[str]:
    """The addresses, once each may be called; raises MessageError, which names its place and not the address.

    An address with an identity in it would carry personal data into the delivery log.
    """
    people = list(identities)
    for index, url in enumerate(urls):
        member = f"{_MEMBER}[{index}]"
        if _host_to_call(url) not in hosts:
            expected = (
                "a host that is registered for this controller and that may be reached; ask the processor to add it"
            )
            raise MessageError(member, Reason.WRONG_VALUE, expected)
        if is_named(url, people):
            raise MessageError(member, Reason.WRONG_VALUE, "an address without an identity in it")
    return list(urls)


def _host(name: str) -> str:
    try:
        endpoint = endpoints.parse(f"https://{name}/")
    except AddressRefusedError:
        endpoint = None
    if endpoint is None or endpoint.path != "/" or endpoint.port != _TLS_PORT:
        raise InvalidControllerError(
            "callback_hosts: expected names of hosts such as controller.example, without scheme, port and path; found "
            "another. Hosts in a network of your own have to be in EXPUNGE_OUTBOUND_ALLOWED_HOSTS."
        )
    return endpoint.host


def _host_to_call(url: str) -> str | None:
    try:
        return endpoints.parse(url).host
    except AddressRefusedError:
        return None
