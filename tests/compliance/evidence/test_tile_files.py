"""Paths and files of C2SP tlog-tiles: one spelling each, and nothing that does not fit is read."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import merkle, tile_files, tiles
from compliance.evidence.errors import LogContentError
from compliance.evidence.tile_files import LogFolder

from . import rfc6962


def leaves_of(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


def write_log(folder: Path, leaves: list[bytes]) -> None:
    """A log of these entries as the specification describes it, each file from its definition."""
    level, hashes = 0, [merkle.leaf_hash(leaf) for leaf in leaves]
    while hashes:
        for start in range(0, len(hashes), 256):
            part = hashes[start : start + 256]
            put(folder, tile_files.tile_path(level, start // 256, len(part)), b"".join(part))
        full = [hashes[start : start + 256] for start in range(0, len(hashes) - 255, 256)]
        level, hashes = level + 1, [rfc6962.root_of(part) for part in full]
    for start in range(0, len(leaves), 256):
        part = leaves[start : start + 256]
        put(folder, tile_files.entries_path(start // 256, len(part)), tile_files.encode_entries(part))


def put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def read_all_tiles(folder: Path) -> list[bytes]:
    return [LogFolder(folder).reader(300)(level, index) for level, index in ((0, 0), (0, 1), (1, 0))]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """300 entries: one full tile and bundle, one partial of 44, and a tile of one hash above."""
    write_log(tmp_path, leaves_of(300))
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("tile/64/000", id="a level above 63"),
        pytest.param("tile/00/000", id="a level with a zero in front"),
        pytest.param("tile/0/00", id="two digits"),
        pytest.param("tile/0/x000/001", id="a group of zeros in front"),
        pytest.param("tile/0/001/002", id="a group without its x"),
        pytest.param("tile/0/000.p/256", id="a full tile as a partial one"),
        pytest.param("tile/0/000.p/0", id="an empty tile"),
        pytest.param("tile/0/000.p/01", id="a width with a zero in front"),
        pytest.param("tile/entries/../checkpoint", id="a way out"),
        pytest.param("tile/0/000\n", id="a newline behind"),
        pytest.param("tile/0/٠٠٠", id="digits of another script"),
        pytest.param("checkpoint", id="another file"),
    ],
)
def test_it_takes_nothing_else_for_the_path_of_a_tile(path: str) -> None:
    assert not tile_files.is_tile_path(path)


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 1000**7, 1), (0, 0, 0), (0, 0, 257)],
)
def test_it_writes_no_path_of_a_tile_that_no_log_has(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="Expected"):
        tile_files.tile_path(level, index, width)


def test_paths_are_those_of_the_specification() -> None:
    assert tile_files.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_files.tile_path(1, 7, 112) == "tile/1/007.p/112"
    assert tile_files.entries_path(1000, 3) == "tile/entries/x001/000.p/3"


@given(st.integers(0, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_every_path_that_is_written_is_recognised(level: int, index: int, width: int) -> None:
    for path in (tile_files.tile_path(level, index, width), tile_files.entries_path(index, width)):
        assert tile_files.is_tile_path(path)
        assert tile_files.is_partial(path) == (width < 256)


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        # The example of the specification.
        pytest.param(
            70_000, {(0, 272): 256, (0, 273): 112, (0, 274): 0, (1, 0): 256, (1, 1): 17, (2, 0): 1}, id="70000"
        ),
        pytest.param(256, {(0, 0): 256, (0, 1): 0, (1, 0): 1, (2, 0): 0}, id="256"),
        pytest.param(0, {(0, 0): 0, (1, 0): 0}, id="0"),
    ],
)
def test_tiles_are_as_wide_as_the_specification_says(size: int, widths: dict[tuple[int, int], int]) -> None:
    assert {place: tile_files.width_at(size, *place) for place in widths} == widths


def test_it_refuses_to_write_an_entry_that_is_too_long() -> None:
    with pytest.raises(LogContentError, match="65535 bytes, found 65536"):
        tile_files.encode_entries([bytes(65_536)])


@pytest.mark.parametrize(
    ("data", "width"),
    [
        pytest.param(b"", 1, id="nothing"),
        pytest.param(b"\x00", 1, id="half a length"),
        pytest.param(b"\x00\x02a", 1, id="half an entry"),
        pytest.param(b"\x00\x01a", 2, id="one too few"),
        pytest.param(b"\x00\x01a\x00\x01b", 1, id="one too many"),
        pytest.param(b"\x00\x01a\x00", 1, id="a byte behind"),
    ],
)
def test_it_refuses_a_bundle_that_does_not_hold_just_its_entries(data: bytes, width: int) -> None:
    with pytest.raises(LogContentError, match="in a bundle"):
        tile_files.decode_entries(data, width)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries(leaves: list[bytes]) -> None:
    assert tile_files.decode_entries(tile_files.encode_entries(leaves), len(leaves)) == leaves


def test_the_longest_entry_fits() -> None:
    leaf = bytes(65_535)
    assert tile_files.decode_entries(tile_files.encode_entries([leaf, b"x"]), 2) == [leaf, b"x"]


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
@pytest.mark.parametrize("damage", [b"", bytes(31), bytes(8193)], ids=["empty", "no hash", "too long"])
def test_it_refuses_a_tile_of_another_length(log: Path, name: str, damage: bytes) -> None:
    (log / name).write_bytes(damage)
    with pytest.raises(LogContentError, match=name):
        read_all_tiles(log)


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/entries/001.p/44"])
def test_it_refuses_a_log_without_one_of_its_bundles(log: Path, name: str) -> None:
    (log / name).unlink()
    with pytest.raises(LogContentError, match=f"{name} is missing"):
        list(LogFolder(log).entries(300))


def test_it_refuses_a_bundle_that_was_cut(log: Path) -> None:
    path = log / "tile/entries/000"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LogContentError, match=r"tile/entries/000: .* a part of one"):
        list(LogFolder(log).entries(300))


def test_it_refuses_a_link_and_what_is_no_file(log: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (log / "tile/0/000").rename(elsewhere)
    (log / "tile/0/000").symlink_to(elsewhere)
    with pytest.raises(LogContentError, match="cannot be read"):
        LogFolder(log).tile(0, 0)
    (log / "tile/0/000").unlink()
    os.mkfifo(log / "tile/0/000")
    with pytest.raises(LogContentError, match="should be a file"):
        LogFolder(log).tile(0, 0)


def test_a_log_without_a_checkpoint_is_refused(log: Path) -> None:
    with pytest.raises(LogContentError, match="no file `checkpoint`"):
        LogFolder(log).checkpoint()


def test_the_published_checkpoint_is_given_as_it_lies_there(log: Path) -> None:
    (log / "checkpoint").write_bytes(b"note")
    assert LogFolder(log).checkpoint() == b"note"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300])
def test_it_reads_the_log_at_earlier_sizes_out_of_full_files(log: Path, size: int) -> None:
    leaves = leaves_of(300)[:size]
    assert list(LogFolder(log).entries(size)) == leaves
    assert tiles.root(size, LogFolder(log).reader(size)) == rfc6962.root_of([merkle.leaf_hash(leaf) for leaf in leaves])


def test_an_earlier_size_whose_partial_file_was_never_published_is_refused(log: Path) -> None:
    with pytest.raises(LogContentError, match=r"tile/entries/001.p/1 is missing"):
        list(LogFolder(log).entries(257))


def test_a_full_tile_stands_in_for_a_partial_one(log: Path) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves_of(300)]
    assert LogFolder(log).tile(0, 0, 10) == b"".join(hashes[:10])
    assert LogFolder(log).bundle(0, 10) == leaves_of(10)


def test_tiles_beyond_the_size_are_not_there(log: Path) -> None:
    assert LogFolder(log).reader(300)(0, 2) == b""
    assert LogFolder(log).reader(255)(1, 0) == b""
