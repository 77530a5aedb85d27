"""Weights on disk, named by the digest of their manifest: they appear whole, are checked whole, and go whole.

``<store>/<sha256>/manifest.json`` and ``<store>/<sha256>/files/…``: the manifest (``registry.manifests``) names every
file by its SHA-256, and the folder is named by the SHA-256 of the manifest. Files are written in a staging folder on
the same file system, flushed, and renamed in one step, so that a crash leaves no half version. Nothing outside the
store is ever touched: links are refused when read and unlinked, not followed, when removed.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from django.conf import settings

from compliance.evidence import canonical
from compliance.registry.manifests import ManifestFile, manifest_bytes, manifest_sha256, parse_manifest
from ml_core.errors import ArtifactError

MANIFEST, FILES = "manifest.json", "files"
STAGING, DOOMED = ".staging-", ".doomed-"
#: A staging folder older than this belongs to a worker that was lost: seconds.
ABANDONED_SECONDS = 24 * 3600
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def store(folder: Path, family: str) -> tuple[bytes, str]:
    """Copy a folder of weights into the store; returns its manifest and digest. Storing it again changes nothing.

    Raises ArtifactError for links, subfolders and odd names.
    """
    with staging() as files:
        for path in sorted(folder.iterdir()):
            with _open_plain(path) as source, (files / path.name).open("xb") as target:
                shutil.copyfileobj(source, target)
        return seal(files, family)


@contextmanager
def staging() -> Iterator[Path]:
    """An empty folder inside the store, to be filled and given to ``seal``. Whatever was not sealed is removed."""
    place = _root() / f"{STAGING}{uuid.uuid4().hex}"
    place.mkdir(mode=0o700)
    (place / FILES).mkdir(mode=0o700)
    try:
        yield place / FILES
    finally:
        _remove(place)


def seal(files: Path, family: str) -> tuple[bytes, str]:
    """Give a filled staging folder its name; returns manifest and digest. Raises ArtifactError as ``store``."""
    manifest = _manifest_of(files, family)
    digest = manifest_sha256(manifest)
    staged, place = files.parent, _root() / digest
    (staged / MANIFEST).write_bytes(manifest)
    for path in (*files.iterdir(), staged / MANIFEST, files, staged):
        _flush(path)
    try:
        staged.rename(place)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
        open(digest)  # The same bytes are stored already: good, if they are sound.
    _flush(place.parent)
    return manifest, digest


def open(sha256: str) -> Path:  # noqa: A001  called as artifacts.open, like gzip.open
    """The folder of the files of a version, after every byte was checked. Raises ArtifactError."""
    place = _place(sha256)
    if not all(path.is_dir() and not path.is_symlink() for path in (place, place / FILES)):
        raise ArtifactError(f"the weights {sha256} are not in the store; restore them from a backup, or use others")
    for listed in _listed_files(place, sha256):
        found = _described(place / FILES / listed.name)
        if found != listed:
            raise ArtifactError(
                f"{listed.name} of the weights {sha256}: expected {listed.n_bytes} bytes with the digest "
                f"{listed.sha256[:16]}…, found {found.n_bytes} with {found.sha256[:16]}…; restore it from a backup"
            )
    return place / FILES


def destroy(sha256: str) -> bool:
    """Remove a version's files; False when there were none. The name goes first, so nobody opens half of them."""
    place = _place(sha256)
    doomed = place.parent / f"{DOOMED}{uuid.uuid4().hex}"
    try:
        place.rename(doomed)
    except FileNotFoundError:
        return False
    _remove(doomed)
    _flush(place.parent)
    return True


def stored() -> dict[str, float]:
    """Digest of every version in the store to the seconds since it was put there."""
    now = time.time()
    places = [path for path in _root().iterdir() if canonical.is_sha256(path.name)]
    return {path.name: now - path.lstat().st_ctime for path in places}


def tidy() -> None:
    """Remove what crashes left behind: half-removed versions, and staging folders of workers long gone."""
    now = time.time()
    for path in _root().iterdir():
        is_abandoned = path.name.startswith(STAGING) and now - path.lstat().st_mtime > ABANDONED_SECONDS
        if is_abandoned or path.name.startswith(DOOMED):
            _remove(path)


def _root() -> Path:
    root: Path = settings.ARTIFACTS_DIR
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def _place(sha256: str) -> Path:
    if not canonical.is_sha256(sha256):
        raise ArtifactError("weights are named by a SHA-256 in lower-case hex, found something else")
    return _root() / sha256


def _manifest_of(files: Path, family: str) -> bytes:
    described = [_described(path) for path in files.iterdir()]
    if not described:
        raise ArtifactError("a folder of weights must hold at least one file, found none")
    return manifest_bytes(family, described)


def _described(path: Path) -> ManifestFile:
    with _open_plain(path) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        return ManifestFile(name=path.name, sha256=hashlib.file_digest(file, "sha256").hexdigest(), n_bytes=n_bytes)


def _listed_files(place: Path, sha256: str) -> list[ManifestFile]:
    """What the manifest lists, if those are the files that are there."""
    with _open_plain(place / MANIFEST) as file:
        manifest = file.read()
    if manifest_sha256(manifest) != sha256:
        raise ArtifactError(f"the manifest of the weights {sha256} was changed; restore it from a backup")
    _, listed = parse_manifest(manifest)
    names, found = sorted(file.name for file in listed), sorted(path.name for path in (place / FILES).iterdir())
    if found != names:
        raise ArtifactError(f"the weights {sha256} should be the files {names}, found {found}")
    return listed


def _open_plain(path: Path) -> BufferedReader:
    """A regular file under a plain name, opened without following a link at its end. Raises ArtifactError."""
    if not _FILE_NAME.fullmatch(path.name):
        raise ArtifactError(f"{path.name!r}: expected a file name of letters, digits and ._-")
    try:
        # Without NONBLOCK, opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ArtifactError(f"{path.name}: expected a plain file that can be read ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactError(f"{path.name}: expected a plain file; links, folders and devices are refused")
    return os.fdopen(descriptor, "rb")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
