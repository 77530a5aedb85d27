"""Opens and closes archives without any of the checks of the product: the tools of an attacker, or of bad luck."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from compliance.evidence import canonical


def unpack(data: bytes) -> dict[str, bytes]:
    """All members of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(files: dict[str, bytes]) -> bytes:
    """An archive of these members in the one spelling that the reader takes: sorted, stored, without a date."""
    return pack_members([(zipfile.ZipInfo(name), files[name]) for name in sorted(files)])


def pack_members(members: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """An archive of exactly these members, in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members:
            member.external_attr = member.external_attr or 0o100644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def replaced(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive with one member changed."""
    files = unpack(data)
    files[name] = change(files[name])
    return pack(files)


def reindexed(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The archive with bundle.json changed and its seal made to fit."""

    def edit(content: bytes) -> bytes:
        index = json.loads(content)
        del index["seal_sha256"]
        change(index)
        return canonical.dumps({**index, "seal_sha256": canonical.digest(index)})

    return replaced(data, "bundle.json", edit)
