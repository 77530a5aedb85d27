"""Which IP addresses are on the open internet. Everything else is refused: it may be a machine of one's own.

Source: the IANA registries of special-purpose addresses (RFC 6890), as data, so that it does not depend on the version
of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

NOT_PUBLIC_V4: dict[str, IPv4Network] = {
    name: IPv4Network(network)
    for name, network in {
        "this network": "0.0.0.0/8",
        "private, 10": "10.0.0.0/8",
        "carrier-grade NAT (RFC 6598)": "100.64.0.0/10",
        "loopback": "127.0.0.0/8",
        "link-local, with the metadata of clouds": "169.254.0.0/16",
        "private, 172.16": "172.16.0.0/12",
        "protocol assignments": "192.0.0.0/24",
        "documentation 1": "192.0.2.0/24",
        "6to4 relays": "192.88.99.0/24",
        "private, 192.168": "192.168.0.0/16",
        "benchmarks": "198.18.0.0/15",
        "documentation 2": "198.51.100.0/24",
        "documentation 3": "203.0.113.0/24",
        "multicast": "224.0.0.0/4",
        "reserved, with broadcast": "240.0.0.0/4",
    }.items()
}
# All other addresses of version 6 are loopback, mapped, local, multicast or not given out.
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
NOT_PUBLIC_V6: dict[str, IPv6Network] = {
    name: IPv6Network(network)
    for name, network in {
        "protocol assignments, with Teredo": "2001::/23",
        "documentation 1": "2001:db8::/32",
        "6to4, which carries an address of version 4": "2002::/16",
        "documentation 2": "3fff::/20",
    }.items()
}
# In networks without version 4, names of version-4 hosts lead here; the last 32 bits are the real address (RFC 6052).
TRANSLATED = IPv6Network("64:ff9b::/96")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is on the open internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4.values())
    if address.scope_id is not None:
        return False
    if address in TRANSLATED:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in GLOBAL_UNICAST_V6 and not any(address in network for network in NOT_PUBLIC_V6.values())
