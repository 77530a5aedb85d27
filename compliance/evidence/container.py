"""The archive around a bundle: a ZIP file of which every byte is determined by the files in it.

ZIP leaves much open: order, time stamps, comments, compression, bytes before, between and behind the members, and two
places for each name. Programs differ in what they make of it, so that an auditor could be shown one file while another
was verified. Here there is one way: members in the order of their names, stored, without anything else. Reading packs
the members again and refuses the archive unless the same bytes come out. All is done in memory; nothing is unpacked to
disk.

Source: PKWARE APPNOTE 6.3, sections 4.3 and 4.4.
"""

import io
import re
import stat
import struct
import zipfile
from collections.abc import Mapping

from compliance.evidence.errors import EvidenceError, NotABundleError, TooLargeError, UnsafeMemberError

MAX_BYTES = 32 * 2**20
_MAX_MEMBERS = 20_000
# Local header, central header and name of each member are more than the content of many.
MAX_ARCHIVE_BYTES = 2 * MAX_BYTES
# The record at the end of an archive: signature, two numbers of disks, two counts of members, size and start of the
# directory, length of a comment. Larger archives have another one and something that leads to it right before.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_SIGNATURE, _LOCATOR_BYTES = b"PK\x06\x07", 20
# The library reads the whole directory before it can be asked anything, at ten times its size in memory.
_MAX_DIRECTORY_BYTES = 256 * _MAX_MEMBERS
# What zipfile raises over damaged input; ValueError stands for names that are not UTF-8.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
_UNSAFE_NAME = re.compile(r"^$|(^/)|(^|/)\.\.?(/|$)|\\|//|:|[^\x21-\x7e]")


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files: the same bytes on every machine, in whatever order they are given."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            file.writestr(member, content)
    return archive.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an archive that `pack` made; raises NotABundleError, TooLargeError or UnsafeMemberError."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise TooLargeError(f"Expected an archive of at most {MAX_ARCHIVE_BYTES} bytes, found {len(data)}.")
    _refuse_large_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _refuse_unsafe(members)
            files = {member.filename: _read(archive, member) for member in members}
    except EvidenceError:
        raise
    except _ZIP_ERRORS as error:
        raise NotABundleError(f"Expected a ZIP archive, found something else or damage: {error}.") from error
    if pack(files) != data:
        raise NotABundleError("The archive was packed anew, or holds bytes that belong to none of its files.")
    return files


def _refuse_large_directory(data: bytes) -> None:
    """Raises NotABundle- or TooLargeError before the members are listed. What is claimed is compared afterwards."""
    end, locator = data[-_END.size :], data[-_END.size - _LOCATOR_BYTES : -_END.size]
    if not end.startswith(_END_SIGNATURE) or len(end) < _END.size or locator.startswith(_LOCATOR_SIGNATURE):
        raise NotABundleError("Expected a ZIP archive as bundles are packed, found something else or damage.")
    _, _, _, _, n_members, n_bytes, start, n_comment_bytes = _END.unpack(end)
    if n_members > _MAX_MEMBERS or n_bytes > _MAX_DIRECTORY_BYTES:
        raise TooLargeError(
            f"Expected at most {_MAX_MEMBERS} members, found {n_members} in {n_bytes} bytes of directory."
        )
    if n_comment_bytes or start + n_bytes + _END.size != len(data):
        raise NotABundleError("The archive holds bytes before or behind its files, or was damaged.")


def _refuse_unsafe(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > _MAX_MEMBERS or sum(member.file_size for member in members) > MAX_BYTES:
        raise TooLargeError(f"Expected at most {MAX_BYTES} bytes in {_MAX_MEMBERS} members, found more.")
    if len(set(names)) != len(names):
        raise UnsafeMemberError("The archive holds two members of the same name; tools differ in which one they show.")
    for member in members:
        if _UNSAFE_NAME.search(member.orig_filename) or member.filename != member.orig_filename:
            raise UnsafeMemberError("The name of a member is not a plain relative path in ASCII.")
        if member.flag_bits & 0x1:
            raise UnsafeMemberError(f"{member.filename} is encrypted; a bundle never is.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnsafeMemberError(f"{member.filename} is a symbolic link; a bundle holds none.")
        if member.compress_type != zipfile.ZIP_STORED:
            raise UnsafeMemberError(f"{member.filename} is compressed; a bundle stores its files as they are.")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        # The size in the header is a claim: stop there, whatever the stream goes on to give.
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise NotABundleError(f"{member.filename} has another size than the archive states.")
    return content
