"""Whether an address names one of the people it is about: an address is written into logs and lists of deliveries.

Looked for are the identifier in its spellings, however often percent-encoded, in Base64 and Base16 (RFC 4648), also inside
a longer text, and its usual digests. Nothing finds what is encrypted or keyed, and nobody could read that there either.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, unquote_plus

import idna

from compliance.opendsr.identities import Identity
from compliance.registry.pseudonyms import IDENTIFIER_KINDS, canonical_identifier

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}")
_BASE16 = re.compile(r"[0-9A-Fa-f]{4,}")
# What is no Base64 says fewer characters by chance, if it is read as Base64.
_MIN_ENCODED = 6


def is_named(url: str, identities: Iterable[Identity]) -> bool:
    """Whether somebody could be read out of this address, or be found by a list of guesses."""
    spellings = {spelling for identity in identities for spelling in _spellings(identity)}
    digests = {digest for spelling in spellings for digest in _digests(spelling)}
    long_spellings = {spelling for spelling in spellings if len(spelling) >= _MIN_ENCODED}
    plain = _unquoted(url)
    return _holds(plain, spellings | digests) or _holds(
        {text for each in plain for text in _decoded(each)}, long_spellings
    )


def _holds(texts: Iterable[str], wanted: Iterable[str]) -> bool:
    folded = [each.casefold() for each in wanted]
    return any(each in text.casefold() for text in texts for each in folded)


def _spellings(identity: Identity) -> set[str]:
    value = identity.value.strip()
    found = {identity.value, value, value.lower(), value.casefold()}
    for kind in IDENTIFIER_KINDS:
        try:
            canonical = canonical_identifier(kind, value)
        except ValueError:
            continue
        local, _, domain = canonical.rpartition("@")
        found |= {canonical, f"{local}@{_as_people_read_it(domain)}"}
    return {spelling for spelling in found if spelling}


def _as_people_read_it(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def _digests(spelling: str) -> Iterator[str]:
    for name in _DIGESTS:
        digest = hashlib.new(name, spelling.encode(), usedforsecurity=False).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode().rstrip("=")
        yield base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _unquoted(url: str) -> set[str]:
    """The address, and what it says when percent-encoding is taken off until there is none."""
    found: set[str] = set()
    waiting = {url}
    while waiting:
        found |= waiting
        waiting = {undone(text) for text in waiting for undone in (unquote, unquote_plus)} - found
    return found


def _decoded(text: str) -> Iterator[str]:
    """What each run of letters may say in Base16 and Base64, wherever in it that begins."""
    for run in _BASE16.findall(text):
        yield from (_text(bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2])) for start in (0, 1))
    for run in _BASE64.findall(text):
        plain = run.replace("-", "+").replace("_", "/")
        yield from (_from_base64(plain[start:]) for start in range(4))


def _from_base64(text: str) -> str:
    try:
        return _text(base64.b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error:
        # One character more than a whole number of bytes.
        return _text(base64.b64decode(text[:-1]))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
