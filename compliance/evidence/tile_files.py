"""A published log as files: where C2SP tlog-tiles puts tiles and entries, and a strict reader of such a folder.

    checkpoint                        the signed note, with cosignatures
    tile/<L>/<N>[.p/<W>]              hashes of level L, 32 bytes each; W of 256 while the tile is not full
    tile/entries/<N>[.p/<W>]          entries, each behind its length (two bytes, big-endian)

N is written in groups of three digits, x001/x234/067. A partial file may be gone once the full one is there.

Source: https://c2sp.org/tlog-tiles
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from compliance.evidence.errors import LogContentError
from compliance.evidence.merkle import HASH_BYTES
from compliance.evidence.tiles import TILE_HEIGHT, TILE_WIDTH, ReadTile

MAX_ENTRY_BYTES = 65_535
_LENGTH_BYTES = 2
_MAX_BUNDLE_BYTES = TILE_WIDTH * (_LENGTH_BYTES + MAX_ENTRY_BYTES)
_MAX_LEVEL = 63
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile that holds `width` hashes; raises ValueError for a tile that no log has."""
    if not 0 <= level <= _MAX_LEVEL:
        raise ValueError(f"Expected a level from 0 to {_MAX_LEVEL}, found {level}.")
    return f"tile/{level}/{_number(index)}{_partial(width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of a bundle of `width` entries; raises ValueError for a bundle that no log has."""
    return f"tile/entries/{_number(index)}{_partial(width)}"


def is_tile_path(path: str) -> bool:
    """Whether this is the one spelling of the path of a tile or of a bundle of entries, and not anything else."""
    match = _PATH.fullmatch(path)
    if match is None:
        return False
    kind, number, width = match[1], int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH)
    if width > TILE_WIDTH or (kind != "entries" and int(kind) > _MAX_LEVEL):
        return False
    written = entries_path(number, width) if kind == "entries" else tile_path(int(kind), number, width)
    return written == path


def is_partial(path: str) -> bool:
    """Whether a path of this layout names a partial file."""
    return ".p/" in path


def width_at(size: int, level: int, index: int) -> int:
    """How many hashes (0 to 256) a tile holds in a log of `size` entries. Bundles of entries are as wide as level 0."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def encode_entries(leaves: Sequence[bytes]) -> bytes:
    """A bundle of entries; raises LogContentError for an entry that is longer than the format can tell."""
    for leaf in leaves:
        if len(leaf) > MAX_ENTRY_BYTES:
            raise LogContentError(f"Expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {len(leaf)}.")
    return b"".join(len(leaf).to_bytes(_LENGTH_BYTES, "big") + leaf for leaf in leaves)


def decode_entries(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; raises LogContentError when it holds more, fewer, or half an entry."""
    leaves: list[bytes] = []
    at = 0
    for _ in range(width):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise LogContentError(f"Expected {width} entries in a bundle, found {len(leaves)} and a part of one.")
        leaves.append(data[start:end])
        at = end
    if at != len(data):
        raise LogContentError(f"Expected {width} entries in a bundle, found {len(data) - at} bytes more.")
    return leaves


class LogFolder:
    """One log in a folder. Nothing in it is trusted: compare with the root of a verified checkpoint."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """The first `width` hashes of a tile; raises LogContentError when they are not there."""
        path = tile_path(level, index, width)
        content, n_stored = self._read(path, tile_path(level, index), width, TILE_WIDTH * HASH_BYTES)
        if len(content) != n_stored * HASH_BYTES:
            raise LogContentError(
                f"{path}: expected {n_stored} hashes of {HASH_BYTES} bytes, found {len(content)} bytes."
            )
        return content[: width * HASH_BYTES]

    def reader(self, size: int) -> ReadTile:
        """Reads the tiles of the log as it was at this size, for the functions of tiles.py; b"" where none was."""

        def read_tile(level: int, index: int) -> bytes:
            width = width_at(size, level, index)
            return self.tile(level, index, width) if width else b""

        return read_tile

    def bundle(self, index: int, width: int = TILE_WIDTH) -> list[bytes]:
        """The first `width` entries of a bundle; raises LogContentError when they are not there."""
        path = entries_path(index, width)
        content, n_stored = self._read(path, entries_path(index), width, _MAX_BUNDLE_BYTES)
        try:
            return decode_entries(content, n_stored)[:width]
        except LogContentError as error:
            raise LogContentError(f"{path}: {error}") from error

    def entries(self, size: int) -> Iterator[bytes]:
        """The entries 0 to `size` - 1 in order, one bundle in memory at a time; raises LogContentError on the way."""
        for index in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
            yield from self.bundle(index, width_at(size, 0, index))

    def checkpoint(self) -> bytes:
        """The published note, not verified; raises LogContentError when there is none."""
        content = self._read_file("checkpoint", _MAX_BUNDLE_BYTES)
        if content is None:
            raise LogContentError("The log has no file `checkpoint`.")
        return content

    def _read(self, path: str, full_path: str, width: int, max_bytes: int) -> tuple[bytes, int]:
        """The stored bytes, and for how many hashes or entries they stand: the full file may have replaced this one."""
        content = self._read_file(path, max_bytes)
        if content is not None:
            return content, width
        content = self._read_file(full_path, max_bytes)
        if content is None:
            raise LogContentError(f"{path} is missing: the log is not complete.")
        return content, TILE_WIDTH

    def _read_file(self, name: str, max_bytes: int) -> bytes | None:
        try:
            # A link could lead out of the folder, and a pipe would never end.
            descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LogContentError(f"{name} cannot be read: {error.strerror}.") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LogContentError(f"{name} should be a file, found something else.")
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise LogContentError(f"{name}: expected at most {max_bytes} bytes, found more.")
        return content


def _number(index: int) -> str:
    if not 0 <= index < 1000**7:
        raise ValueError(f"Expected an index from 0 on, found {index}.")
    *before, last = _groups(index)
    return "".join(f"x{group:03d}/" for group in before) + f"{last:03d}"


def _groups(index: int) -> list[int]:
    groups = [index % 1000]
    while index := index // 1000:
        groups.insert(0, index % 1000)
    return groups


def _partial(width: int) -> str:
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"Expected a width from 1 to {TILE_WIDTH}, found {width}.")
    return "" if width == TILE_WIDTH else f".p/{width}"
