"""Only addresses on the open internet are public, and never one that Python's own tables know better."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.outbound.public_addresses import is_public

REFUSED = {
    "unspecified": "0.0.0.0",
    "this network": "0.1.2.3",
    "private 10": "10.255.255.255",
    "private 172": "172.16.0.1",
    "the end of private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "carrier-grade NAT": "100.64.0.1",
    "the end of carrier-grade NAT": "100.127.255.255",
    "metadata of a cloud": "169.254.169.254",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "documentation": "203.0.113.7",
    "benchmarks": "198.19.255.255",
    "6to4 relay": "192.88.99.1",
    "unspecified 6": "::",
    "loopback 6": "::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped public": "::ffff:93.184.216.34",
    "compatible loopback": "::127.0.0.1",
    "translated loopback": "64:ff9b::7f00:1",
    "translated metadata": "64:ff9b::a9fe:a9fe",
    "local translation": "64:ff9b:1::1",
    "unique local": "fd00::1",
    "metadata of a cloud 6": "fd00:ec2::254",
    "link-local 6": "fe80::1",
    "link-local with a zone": "fe80::1%1",
    "public with a zone": "2606:4700::1%1",
    "site-local": "fec0::1",
    "multicast 6": "ff02::1",
    "6to4 of loopback": "2002:7f00:1::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "documentation 6": "2001:db8::1",
    "new documentation 6": "3fff::1",
    "discard": "100::1",
}
PUBLIC = {
    "a host": "93.184.216.34",
    "before private 172": "172.15.255.255",
    "after private 172": "172.32.0.0",
    "before carrier-grade NAT": "100.63.255.255",
    "after carrier-grade NAT": "100.128.0.0",
    "the last before multicast": "223.255.255.255",
    "a host 6": "2606:2800:220:1::1",
    "a translated host": "64:ff9b::5db8:d822",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_closed_network_is_not_public(name: str) -> None:
    assert not is_public(ipaddress.ip_address(REFUSED[name]))


@pytest.mark.parametrize("name", PUBLIC)
def test_the_open_internet_is_public(name: str) -> None:
    assert is_public(ipaddress.ip_address(PUBLIC[name]))


@given(st.ip_addresses())
def test_what_python_calls_not_global_is_never_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if is_public(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved
