"""Key files, and those that wait beside them to take over. One that gave way is kept under its fingerprint."""

from pathlib import Path

from compliance.evidence import dsse, key_files, signing
from compliance.evidence.key_files import KeyFileError
from compliance.ledger.models import PublicKey

Purpose = PublicKey.Purpose
MOVE_AWAY = "Move a file away that waits to take over and is no new key, and rotate again: that makes one."
_N_FINGERPRINT_CHARACTERS = 12


def next_path(path: Path) -> Path:
    """Where the key waits that takes the place of this one: `ledger.next.pem`."""
    return path.with_name(f"{path.stem}.next{path.suffix}")


def generate(purpose: Purpose, path: Path) -> None:
    """Make a key of this purpose, with the folder around it; raises KeyFileError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if purpose is Purpose.EVIDENCE:
        signing.generate_evidence_key(path)
    else:
        signing.generate_log_key(path)


def lay_ready(purpose: Purpose, path: Path) -> str:
    """Make the key that waits beside this one, where none does; its fingerprint. Raises KeyFileError where none can be
    made, or the file that waits holds no such key."""
    waiting = next_path(path)
    if not waiting.exists():
        generate(purpose, waiting)
    try:
        return fingerprint(purpose, waiting)
    except KeyFileError as error:
        raise KeyFileError(f"{error} {MOVE_AWAY}") from error


def promote(purpose: Purpose, path: Path) -> None:
    """Put a waiting key into the place of the one in use, which is kept; raises KeyFileError."""
    new = next_path(path)
    if not new.exists():
        return
    fingerprint(purpose, new)
    if path.exists():
        short = fingerprint(purpose, path)[:_N_FINGERPRINT_CHARACTERS]
        key_files.keep_as(path, path.with_name(f"{path.stem}-{short}{path.suffix}"))
    key_files.take_place(new, path)


def fingerprint(purpose: Purpose, path: Path) -> str:
    """Of the key in this file; raises KeyFileError when it holds none of this purpose."""
    if purpose is Purpose.EVIDENCE:
        return dsse.public_key_sha256(key_files.load_evidence_key(path).public_key())
    return dsse.public_key_sha256(key_files.load_log_key(path).public_key())
