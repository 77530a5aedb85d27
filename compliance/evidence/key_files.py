"""Private keys in files: PEM that its owner alone can read. A file is never replaced and never deleted here."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_MAX_KEY_BYTES = 16_384


class KeyFileError(OSError):
    """A key file that is missing, readable by others, not a key, or of the wrong kind."""


def load_evidence_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The P-256 key in a PEM file that only its owner can read; raises KeyFileError."""
    key = load(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFileError(f"{path} should hold an ECDSA P-256 key. Make one with `manage.py keys create evidence`.")
    return key


def load_log_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file that only its owner can read; raises KeyFileError."""
    key = load(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} should hold an Ed25519 key. Make one with `manage.py keys create checkpoint`.")
    return key


def generate_evidence_key(path: Path) -> None:
    """Write a new P-256 key; refuses to replace a file."""
    write(path, ec.generate_private_key(ec.SECP256R1()))


def generate_log_key(path: Path) -> None:
    """Write a new Ed25519 key; refuses to replace a file."""
    write(path, Ed25519PrivateKey.generate())


def write(path: Path, key: PrivateKeyTypes) -> None:
    """Write a key into a new file that only its owner can read, durably; raises KeyFileError.

    The file appears with the whole key in it or not at all, and never in the place of another.
    """
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_draft(draft, pem)
        os.link(draft, path, follow_symlinks=False)
        draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already. A key is never replaced: choose another name.") from error
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def keep_as(path: Path, archive: Path) -> None:
    """Give a key file a second name, under which it stays when another takes its place; raises KeyFileError.

    Repeating it changes nothing. A file of another key under that name is refused.
    """
    try:
        os.link(path, archive, follow_symlinks=False)
    except FileExistsError as error:
        if archive.read_bytes() != path.read_bytes():
            raise KeyFileError(f"{archive} exists already and holds another key. A key is never replaced.") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be kept as {archive}: {error.strerror}.") from error
    _sync_folder(archive.parent)


def take_place(new: Path, path: Path) -> None:
    """Put the new key file into the place of the old one in one step, durably; raises KeyFileError."""
    try:
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"{new} cannot take the place of {path}: {error.strerror}.") from error


def load(path: Path) -> PrivateKeyTypes:
    """The private key of any kind in a PEM file that only its owner can read; raises KeyFileError."""
    pem = _read(path)
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} should hold an unencrypted private key in PEM (PKCS#8).") from error


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe in the place of the key would hang the process.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise KeyFileError(
            f"There is no key file {path}. `manage.py keys create` makes one; a witness's comes with `witness init`."
        ) from error
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be opened: {error.strerror}.") from error
    try:
        # Asked of the open file, not of the name, which could be another file a moment later.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} should be a plain file that holds a key in PEM.")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(f"{path} can be reached by others than its owner. Run: chmod 600 {path}")
        return os.read(descriptor, _MAX_KEY_BYTES)
    finally:
        os.close(descriptor)


def _write_draft(draft: Path, pem: bytes) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
