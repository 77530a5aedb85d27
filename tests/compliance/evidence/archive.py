"""Opens and closes archives without any of the checks of bundle.py: the tools of an attacker, or of bad luck."""

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
    """An archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
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
