"""The archive: of everything that ZIP leaves open, one way is taken and every other one refused."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import container
from compliance.evidence.errors import EvidenceError, ExitCode

from .archive import pack_members

FILES = {"a.txt": b"alpha", "b/c.json": b"{}"}
GOOD = container.pack(FILES)


def code_of(data: bytes) -> ExitCode:
    try:
        container.unpack(data)
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def member(name: str, **attributes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


def raw_name(name: bytes) -> bytes:
    """An archive whose member has a name that Python's module would not write."""
    return pack_members([(member("x" * len(name)), b"")]).replace(b"x" * len(name), name)


def with_comment() -> bytes:
    buffer = io.BytesIO(GOOD)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"the fingerprint is 00"
    return buffer.getvalue()


def with_extra() -> bytes:
    info = member("a.txt")
    info.extra = struct.pack("<HH4s", 0x7075, 4, b"evil")
    return pack_members([(info, b"alpha")])


def with_bytes_between() -> bytes:
    """A gap between the members and their directory, where another reader may find members of its own."""
    at = GOOD.index(b"PK\x01\x02")
    end = GOOD.index(b"PK\x05\x06")
    offset = struct.unpack_from("<I", GOOD, end + 16)[0]
    return GOOD[:at] + b"gap" + GOOD[at : end + 16] + struct.pack("<I", offset + 3) + GOOD[end + 20 :]


def streamed() -> bytes:
    """A size and checksum behind the data instead of before it, as writers to a pipe do."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr(member("a.txt"), b"alpha")
    return pipe.getvalue()


def bomb() -> bytes:
    """30 kB that unpack to more than the limit."""
    return pack_members([(member("zeros", compress_type=zipfile.ZIP_DEFLATED), bytes(container.MAX_BYTES + 1))])


def claimed_size(data: bytes, size: int) -> bytes:
    """The sizes in the directory at the end are only claims."""
    at = data.index(b"PK\x01\x02") + 20
    return data[:at] + struct.pack("<II", size, size) + data[at + 8 :]


def encrypted() -> bytes:
    at = GOOD.index(b"PK\x01\x02") + 8
    return GOOD[:at] + b"\x01" + GOOD[at + 1 :]


def directory_of(n_members: int, n_claimed: int) -> bytes:
    """A directory of members that are not there, with another number of them at the end."""
    entry = GOOD[GOOD.index(b"PK\x01\x02") :][:46]
    listed = (entry[:28] + struct.pack("<H", 1) + entry[30:] + b"a") * n_members
    return listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n_claimed, n_claimed, len(listed), 0, 0)


def with_larger_end(data: bytes) -> bytes:
    """The end record of large archives before the plain one, from which Python's module takes the directory's place."""
    at = len(data) - 22
    n_bytes, start = struct.unpack_from("<2L", data, at + 12)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, n_bytes, start)
    return data[:at] + large + struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1) + data[at:]


def twice() -> bytes:
    return pack_members([(member("a.txt"), b"alpha"), (member("b.txt"), b"beta")]).replace(b"b.txt", b"a.txt")


REFUSED: dict[str, tuple[Callable[[], bytes], ExitCode]] = {
    "nothing": (lambda: b"", ExitCode.NOT_A_BUNDLE),
    "no archive": (lambda: b"hello" * 100, ExitCode.NOT_A_BUNDLE),
    "half an archive": (lambda: GOOD[: len(GOOD) // 2], ExitCode.NOT_A_BUNDLE),
    "bytes before": (lambda: b"#!/bin/sh\n" + GOOD, ExitCode.NOT_A_BUNDLE),
    "bytes behind": (lambda: GOOD + b"\n", ExitCode.NOT_A_BUNDLE),
    "bytes between": (with_bytes_between, ExitCode.NOT_A_BUNDLE),
    "another archive before": (lambda: container.pack({"a.txt": b"other"}) + GOOD, ExitCode.NOT_A_BUNDLE),
    "another archive behind": (lambda: GOOD + container.pack({"a.txt": b"other"}), ExitCode.NOT_A_BUNDLE),
    "a comment": (with_comment, ExitCode.NOT_A_BUNDLE),
    "an extra field": (with_extra, ExitCode.NOT_A_BUNDLE),
    "another order": (
        lambda: pack_members([(member(name), FILES[name]) for name in sorted(FILES, reverse=True)]),
        ExitCode.NOT_A_BUNDLE,
    ),
    "another date": (
        lambda: pack_members([(zipfile.ZipInfo("a.txt", (2026, 5, 1, 0, 0, 0)), b"alpha")]),
        ExitCode.NOT_A_BUNDLE,
    ),
    "another system": (lambda: pack_members([(member("a.txt", create_system=0), b"alpha")]), ExitCode.NOT_A_BUNDLE),
    "a file that can be run": (
        lambda: pack_members([(member("a.txt", external_attr=0o100755 << 16), b"alpha")]),
        ExitCode.NOT_A_BUNDLE,
    ),
    "sizes behind the data": (streamed, ExitCode.NOT_A_BUNDLE),
    "a name that the member itself spells otherwise": (
        lambda: GOOD.replace(b"a.txt", b"z.txt", 1),
        ExitCode.NOT_A_BUNDLE,
    ),
    "a flipped byte in a member": (lambda: GOOD.replace(b"alpha", b"alphb"), ExitCode.NOT_A_BUNDLE),
    "a member that is shorter than stated": (lambda: claimed_size(GOOD, 4), ExitCode.NOT_A_BUNDLE),
    "a member that is longer than the archive": (lambda: claimed_size(GOOD, 10_000), ExitCode.NOT_A_BUNDLE),
    "a zip bomb": (bomb, ExitCode.TOO_LARGE),
    "a zip bomb that states a small size": (lambda: claimed_size(bomb(), 1000), ExitCode.UNSAFE_MEMBER),
    "a stated size beyond the limit": (lambda: claimed_size(GOOD, 2**31), ExitCode.TOO_LARGE),
    "an archive beyond the limit": (lambda: GOOD + bytes(container.MAX_ARCHIVE_BYTES), ExitCode.TOO_LARGE),
    "too many members": (
        lambda: pack_members([(member(f"{number}"), b"") for number in range(20_001)]),
        ExitCode.TOO_LARGE,
    ),
    "a directory of very many members": (lambda: directory_of(200_000, 65_535), ExitCode.TOO_LARGE),
    "a directory of very many members that claims one": (lambda: directory_of(200_000, 1), ExitCode.TOO_LARGE),
    "a directory of more members than it claims": (lambda: directory_of(20_001, 1), ExitCode.TOO_LARGE),
    "the end record of large archives": (lambda: with_larger_end(GOOD), ExitCode.NOT_A_BUNDLE),
    "a compressed member": (
        lambda: pack_members([(member("a.txt", compress_type=zipfile.ZIP_DEFLATED), b"alpha")]),
        ExitCode.UNSAFE_MEMBER,
    ),
    "a member compressed in another way": (
        lambda: pack_members([(member("a.txt", compress_type=zipfile.ZIP_LZMA), b"alpha")]),
        ExitCode.UNSAFE_MEMBER,
    ),
    "two members of one name": (twice, ExitCode.UNSAFE_MEMBER),
    "an encrypted member": (encrypted, ExitCode.UNSAFE_MEMBER),
    "a symbolic link": (
        lambda: pack_members([(member("a.txt", external_attr=0o120777 << 16), b"/etc/passwd")]),
        ExitCode.UNSAFE_MEMBER,
    ),
    "an absolute name": (lambda: raw_name(b"/etc/passwd"), ExitCode.UNSAFE_MEMBER),
    "a name that climbs": (lambda: raw_name(b"../passwd"), ExitCode.UNSAFE_MEMBER),
    "a name that climbs inside": (lambda: raw_name(b"a/../../b"), ExitCode.UNSAFE_MEMBER),
    "a name of one dot": (lambda: raw_name(b"a/./b"), ExitCode.UNSAFE_MEMBER),
    "a name with two slashes": (lambda: raw_name(b"a//b"), ExitCode.UNSAFE_MEMBER),
    "a name with a backslash": (lambda: raw_name(b"a\\b"), ExitCode.UNSAFE_MEMBER),
    "a name with a drive": (lambda: raw_name(b"C:a"), ExitCode.UNSAFE_MEMBER),
    "a name with a zero byte": (lambda: raw_name(b"a.txt\x00.zip"), ExitCode.UNSAFE_MEMBER),
    "a name with a line break": (lambda: raw_name(b"a\nb"), ExitCode.UNSAFE_MEMBER),
    "a name with a space": (lambda: raw_name(b"a b"), ExitCode.UNSAFE_MEMBER),
    "a name that steers the terminal": (lambda: raw_name(b"\x1b[2J"), ExitCode.UNSAFE_MEMBER),
    "a name outside ASCII": (lambda: raw_name("ä".encode("cp437")), ExitCode.UNSAFE_MEMBER),
    "no name": (lambda: pack_members([(member(""), b"")]), ExitCode.UNSAFE_MEMBER),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_that_can_be_read_in_two_ways_is_refused(name: str) -> None:
    make, code = REFUSED[name]
    assert code_of(make()) is code


def test_a_refusal_never_repeats_a_name_that_could_steer_the_terminal() -> None:
    with pytest.raises(EvidenceError) as caught:
        container.unpack(raw_name(b"\x1b[2J"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("n_claimed", [1, 65_535])
def test_a_directory_beyond_the_limit_is_refused_before_it_is_listed(n_claimed: int) -> None:
    data = directory_of(200_000, n_claimed)
    tracemalloc.start()
    try:
        assert code_of(data) is ExitCode.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < len(data)
    finally:
        tracemalloc.stop()


NAMES = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,2}", fullmatch=True)


@given(st.dictionaries(NAMES, st.binary(max_size=40), max_size=6))
def test_files_are_read_back_and_packed_to_the_same_bytes_in_any_order(files: dict[str, bytes]) -> None:
    data = container.pack(files)
    assert container.unpack(data) == files
    assert container.pack(dict(reversed(files.items()))) == data


def test_the_bytes_of_an_archive_are_those_that_older_archives_have() -> None:
    """Verification packs again and compares: a change of these bytes would refuse every bundle made before."""
    assert container.pack({"a": b"b"}).hex() == (
        "504b030414000000000000002100f9efbe71010000000100000001000000" + "61" + "62"
        "504b0102140314000000000000002100f9efbe710100000001000000010000000000000000000000a48100000000" + "61"
        "504b050600000000010001002f000000200000000000"
    )
