"""Marked personal data, and every disguise in which a leak of it would still be one.

A search takes bytes apart before it looks: archives are opened, long base64 and hex texts are decoded, soft line breaks
of mail are undone, and all of it is looked at in lower case. So a mark in a compressed file inside a hex column is found.
"""

import base64
import binascii
import gzip
import hashlib
import html
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from urllib.parse import quote

_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX_RUN = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_DEPTH = 3
DIGESTS = ("md5", "sha1", "sha256")


class Mark:
    """A word that stands nowhere by chance. `canonical` is set for an identifier: then digests of it count, too."""

    def __init__(self, name: str, text: str, *, is_identifier: bool = False) -> None:
        self.name = name
        self.text = text
        self._is_identifier = is_identifier

    @cached_property
    def disguises(self) -> dict[str, bytes]:
        """What is looked for, each in lower case, by the name of the encoding."""
        found = {**spellings(self.text)}
        if self._is_identifier:
            found |= digests(self.text)
        return {name: value.lower() for name, value in found.items()}


def spellings(text: str) -> dict[str, bytes]:
    """The text in every encoding that a program writes by itself."""
    data = text.encode()
    numbers = (f"&#{ord(character)};" for character in text)
    return {
        "UTF-8": data,
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "hex": data.hex().encode(),
        "URL-encoded": quote(text, safe="").encode(),
        "URL-encoded, each byte": "".join(f"%{byte:02x}" for byte in data).encode(),
        "JSON-escaped": json.dumps(text).strip('"').encode(),
        "JSON-escaped, each character": "".join(f"\\u{ord(character):04x}" for character in text).encode(),
        "JSON-escaped at sign": text.replace("@", "\\u0040").encode(),
        "as Python shows text": ascii(text)[1:-1].encode(),
        "as Python shows bytes": repr(data)[2:-1].encode(),
        "HTML-escaped": html.escape(text).encode(),
        "HTML-escaped, each character": "".join(numbers).encode(),
        "quoted-printable": "".join(f"={byte:02X}" for byte in data).encode(),
        "quoted-printable at sign": text.replace("@", "=40").encode(),
        "ROT13": text.translate(_ROT13).encode(),
        "reversed": text[::-1].encode(),
        **{f"base64, alignment {offset}": _base64_at(data, offset) for offset in range(3)},
        **{f"base32, alignment {offset}": _base32_at(data, offset) for offset in range(5)},
    }


def digests(text: str) -> dict[str, bytes]:
    """Plain digests: whoever guesses the identifier finds it by them."""
    found = {}
    for name in DIGESTS:
        for what, data in (("", text), (" with its kind", f"email|{text}")):
            digest = hashlib.new(name, data.encode()).digest()
            found[f"{name} in hex{what}"] = digest.hex().encode()
            found[f"{name} in base64{what}"] = base64.b64encode(digest).rstrip(b"=")
            found[f"{name} in URL-safe base64{what}"] = base64.urlsafe_b64encode(digest).rstrip(b"=")
            found[f"{name} as bytes{what}"] = digest
    return found


def hits(data: bytes, marks: list[Mark]) -> list[str]:
    """Which marks are in there, each with how it is disguised."""
    found = set()
    for piece in pieces(data):
        lowered = piece.lower()
        for mark in marks:
            found |= {f"{mark.name} ({name})" for name, value in mark.disguises.items() if value in lowered}
    return sorted(found)


def pieces(data: bytes, depth: int = _DEPTH) -> Iterator[bytes]:
    """The bytes, and whatever they are a wrapping of."""
    yield data
    if not depth:
        return
    joined = re.sub(rb"=\r?\n", b"", data)
    if joined != data:
        yield joined
    for inner in _unwrapped(data):
        yield from pieces(inner, depth - 1)


def _unwrapped(data: bytes) -> Iterator[bytes]:
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode() + b"\n" + archive.read(name)
    for inflate in (gzip.decompress, zlib.decompress):
        try:
            yield inflate(data)
        except (OSError, EOFError, zlib.error):
            continue
    decoded = [_from_base64(run[0]) for run in _BASE64_RUN.finditer(data)]
    decoded += [binascii.unhexlify(run[0]) for run in _HEX_RUN.finditer(data)]
    # One piece for all of them: what is looked for does not cross a border.
    if decoded:
        yield b"\n".join(decoded)


def _from_base64(run: bytes) -> bytes:
    run = run.replace(b"-", b"+").replace(b"_", b"/")
    return base64.b64decode(run[: len(run) // 4 * 4])


def _base64_at(data: bytes, offset: int) -> bytes:
    """The characters that stand whatever comes before and after, where the text begins at this byte of three."""
    whole = base64.b64encode(bytes(offset) + data)
    first = -(-offset * 8 // 6)
    last = (offset + len(data)) * 8 // 6
    return whole[first:last]


def _base32_at(data: bytes, offset: int) -> bytes:
    whole = base64.b32encode(bytes(offset) + data)
    return whole[-(-offset * 8 // 5) : (offset + len(data)) * 8 // 5]


_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM"
)
