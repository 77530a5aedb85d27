"""The witness's private key: an Ed25519 key in a PEM file of its owner alone."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MAX_KEY_BYTES = 16_384


class StateFolderError(Exception):
    """A state folder that cannot be used: the message says what was found and what to do."""


def write(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a key, readable by its owner alone, into a new file; raises OSError, also where there is one."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> Ed25519PrivateKey:
    """Read the key; raises StateFolderError when it is missing, open to others, or no Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise StateFolderError(f"{path} should hold an unencrypted private key in PEM (PKCS#8).") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StateFolderError(f"{path} should hold an Ed25519 key, as `witness init` makes it.")
    return key


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe in the place of the key would hang the process.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise StateFolderError(f"The key file {path} cannot be opened: {error.strerror}.") from error
    try:
        # Asked of the open file, not of the name, which could be another file a moment later.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise StateFolderError(f"{path} should be a plain file that holds a key in PEM.")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StateFolderError(f"{path} can be reached by others than its owner. Run: chmod 600 {path}")
        return os.read(descriptor, _MAX_KEY_BYTES)
    finally:
        os.close(descriptor)
