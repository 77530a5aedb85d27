"""Domain names and URLs: what may stand in a header or a message.

Only the spelling is judged. Where an address leads is judged by whoever connects to it.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from compliance.evidence.bounded_post import refuse_other_url

MAX_URL_CHARACTERS = 2048
SECURE = frozenset({"https"})
_MAX_DOMAIN_CHARACTERS = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label has a letter, or an IP address would be a name.
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")


def parse_domain(text: str) -> str:
    """A host name of two labels or more, in lower case (RFC 1123; A-labels for international names); raises ValueError without the text."""
    name = text.lower() if text.isascii() else ""
    if len(name) > _MAX_DOMAIN_CHARACTERS or not _DOMAIN.fullmatch(name):
        raise ValueError("expected a domain name such as opendsr.example.com, found something else")
    return name


def is_usable_url(url: str, schemes: Collection[str] = SECURE) -> bool:
    """Whether it is a URL of one of these schemes with a host, without a user and without a fragment."""
    try:
        refuse_other_url(url, has_query=True)
    except ValueError:
        return False
    return urlsplit(url).scheme in schemes and len(url) <= MAX_URL_CHARACTERS


def host_of(url: str) -> str:
    """The host of a URL in lower case, without its port."""
    return urlsplit(url).hostname or ""
