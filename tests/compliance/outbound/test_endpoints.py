"""What is no address, or leads into a closed network, is refused before anybody connects."""

import socket
import threading

import pytest
from pytest_django import Settings

from compliance.outbound import endpoints
from compliance.outbound.endpoints import Endpoint
from compliance.outbound.errors import AddressRefusedError, NameUnknownError

HOST = "receiver.example"
REFUSED_URLS = {
    "nothing": "",
    "no scheme": "receiver.example/hook",
    "no host": "https://",
    "no host but a path": "https:///hook",
    "one slash": "https:/receiver.example",
    "no TLS": "http://receiver.example/",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://receiver.example/_x",
    "a script": "javascript:alert(1)",
    "a user": "https://jane@receiver.example/",
    "a user and password": "https://jane:secret@receiver.example/",
    "an empty user": "https://@receiver.example/",
    "a host behind a user": "https://receiver.example@127.0.0.1/",
    "a fragment": "https://receiver.example/#a",
    "a fragment before a user": "https://receiver.example#@127.0.0.1/",
    "a backslash": "https://receiver.example\\@127.0.0.1/",
    "a space": "https://receiver.example/ a",
    "a space before": " https://receiver.example/",
    "a tab in the scheme": "ht\ttps://receiver.example/",
    "a second line": "https://receiver.example/\r\nX-Evil: 1",
    "a null": "https://receiver.example/\0",
    "an international name": "https://bücher.example/",
    "full-width digits": "https://１２７.0.0.1/",
    "an encoded host": "https://%31%32%37.0.0.1/",
    "an underscore": "https://my_host.example/",
    "a label that begins with a dash": "https://-a.example/",
    "two dots": "https://a..example/",
    "a dot at the end": "https://receiver.example./",
    "a label that is too long": f"https://{'a' * 64}.example/",
    "a name that is too long": f"https://{'a.' * 127}example/",
    "a URL that is too long": f"https://receiver.example/{'a' * 2048}",
    "an odd port": "https://receiver.example:8443/",
    "the port of a database": "https://receiver.example:5432/",
    "port 0": "https://receiver.example:0/",
    "a port too high": "https://receiver.example:65536/",
    "a port that is none": "https://receiver.example:https/",
    "an empty port": "https://receiver.example:/",
    "loopback": "https://127.0.0.2/",
    "loopback as a number": "https://2130706433/",
    "loopback in hexadecimal": "https://0x7f000001/",
    "loopback in octal": "https://0177.0.0.1/",
    "loopback in short": "https://127.1/",
    "loopback in parts of both": "https://0x7f.0.0.1/",
    "a name that ends in a number": "https://receiver.1/",
    "loopback 6": "https://[::1]/",
    "mapped loopback": "https://[::ffff:127.0.0.1]/",
    "translated loopback": "https://[64:ff9b::7f00:1]/",
    "a zone": "https://[fe80::1%25eth0]/",
    "an address of a later version": "https://[v1.a]/",
    "an address of version 4 in brackets": "https://[127.0.0.1]/",
    "an open bracket": "https://[::1/",
    "private": "https://10.0.0.1/",
    "metadata of a cloud": "https://169.254.169.254/latest/meta-data/",
    "carrier-grade NAT": "https://100.64.0.1/",
}
TAKEN = {
    "a host": ("https://receiver.example", Endpoint(scheme="https", host=HOST, port=443, path="/")),
    "a path and a query": (
        "https://receiver.example/a/b?c=d@e",
        Endpoint(scheme="https", host=HOST, port=443, path="/a/b?c=d@e"),
    ),
    "the usual port": ("https://receiver.example:443/", Endpoint(scheme="https", host=HOST, port=443, path="/")),
    "capitals": ("HTTPS://Receiver.EXAMPLE/Hook", Endpoint(scheme="https", host=HOST, port=443, path="/Hook")),
    "an international name in ASCII": (
        "https://xn--bcher-kva.example/",
        Endpoint(scheme="https", host="xn--bcher-kva.example", port=443, path="/"),
    ),
    "a public address": ("https://93.184.216.34/", Endpoint(scheme="https", host="93.184.216.34", port=443, path="/")),
    "a public address 6": (
        "https://[2606:2800:220:1:0::1]/",
        Endpoint(scheme="https", host="2606:2800:220:1::1", port=443, path="/"),
    ),
    "an allowed host": ("http://127.0.0.1:8080/", Endpoint(scheme="http", host="127.0.0.1", port=8080, path="/")),
}
CLOSED = {
    "loopback": ["127.0.0.1"],
    "one of several": ["93.184.216.34", "10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "loopback 6": ["::1"],
    "mapped": ["::ffff:10.0.0.1"],
    "a zone": ["fe80::1%eth0"],
    "no address": ["receiver.example"],
}


@pytest.mark.parametrize("name", REFUSED_URLS)
def test_what_is_no_address_or_leads_inside_is_refused_and_not_quoted(name: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        endpoints.parse(REFUSED_URLS[name])
    assert "secret" not in str(caught.value) and "jane" not in str(caught.value)


@pytest.mark.parametrize("name", CLOSED)
def test_a_name_that_leads_into_a_closed_network_is_refused(name: str) -> None:
    with pytest.raises(AddressRefusedError, match="closed network"):
        endpoints.addresses_of(endpoints.parse(f"https://{HOST}/"), lambda host, port: CLOSED[name])


def test_this_machine_is_refused_by_its_name() -> None:
    with pytest.raises(AddressRefusedError, match="closed network"):
        endpoints.addresses_of(endpoints.parse("https://localhost/"))


def test_a_name_that_leads_nowhere_is_told_apart() -> None:
    with pytest.raises(NameUnknownError):
        endpoints.addresses_of(endpoints.parse(f"https://{HOST}/"), lambda host, port: [])


def test_a_name_server_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(endpoints, "LOOKUP_SECONDS", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: is_over.wait() and [])
    with pytest.raises(NameUnknownError, match="within"):
        endpoints.look_up(HOST, 443)
    is_over.set()


def test_the_system_knows_this_machine() -> None:
    assert set(endpoints.look_up("localhost", 443)) <= {"127.0.0.1", "::1"} != set()


def test_an_allowed_host_is_no_licence_for_its_neighbours(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"hooks.internal"})
    for url in ("http://hooks.internal.example/", "http://a.hooks.internal/", "https://hooks.internal@10.0.0.1/"):
        with pytest.raises(AddressRefusedError):
            endpoints.parse(url)


def test_on_a_machine_of_ones_own_tls_is_not_asked_for_but_closed_networks_stay_closed(settings: Settings) -> None:
    settings.DEBUG = True
    assert endpoints.parse("http://receiver.example/").port == 80
    with pytest.raises(AddressRefusedError):
        endpoints.parse("http://127.0.0.2/")


@pytest.mark.parametrize("name", TAKEN)
def test_an_address_is_taken_apart_once(name: str) -> None:
    url, expected = TAKEN[name]
    assert endpoints.parse(url) == expected


def test_an_allowed_name_may_lead_inside(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"hooks.internal"})
    endpoint = endpoints.parse("http://hooks.internal:9000/")
    assert endpoints.addresses_of(endpoint, lambda host, port: ["10.0.0.7"]) == ("10.0.0.7",)


def test_a_public_name_leads_to_a_few_addresses_in_their_order() -> None:
    found = [f"93.184.216.{number}" for number in range(9, 0, -1)]
    assert endpoints.addresses_of(endpoints.parse(f"https://{HOST}/"), lambda host, port: found) == tuple(found[:4])


def test_the_system_is_asked_for_names_alone() -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    endpoint = endpoints.parse("https://93.184.216.34/")
    assert endpoints.addresses_of(endpoint, never) == ("93.184.216.34",)
