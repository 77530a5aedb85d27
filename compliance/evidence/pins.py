"""What the caller of a command trusts: a trust file, or single keys, each a file of the caller's or a fingerprint."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import dsse
from compliance.evidence import trust as trusts
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.container import MAX_ARCHIVE_BYTES
from compliance.evidence.errors import (
    CheckpointKeyError,
    MalformedFileError,
    TooLargeError,
    TrustFileError,
    UnreadableError,
)
from compliance.evidence.trust import Trust


@dataclass(frozen=True)
class Pins:
    """A trust file, or the keys given one by one; None stands for what was not given."""

    trust: Trust | None
    log_vkeys: Sequence[str] | None
    evidence_keys: Sequence[EllipticCurvePublicKey] | None

    def for_bundle(self) -> dict[str, Any]:
        """The keyword arguments of `verify_bundle`."""
        return {"trust": self.trust, "log_vkeys": self.log_vkeys, "evidence_keys": self.evidence_keys}

    def trust_alone(self) -> Trust | None:
        """For an export: the trust file, or one made of both kinds of key; raises UnreadableError for one kind alone."""
        if self.trust is not None or (self.log_vkeys is None and self.evidence_keys is None):
            return self.trust
        if self.log_vkeys is None or self.evidence_keys is None:
            raise UnreadableError("An export needs a trust file, or both --log-vkey and --evidence-key.")
        return trusts.of_keys(self.log_vkeys, self.evidence_keys)

    def of_logs(self) -> Trust:
        """For checkpoints, which do not carry their key: the trust file, or one made of the ledger keys alone."""
        if self.trust is not None:
            return self.trust
        if self.log_vkeys is None:
            raise UnreadableError("A checkpoint does not carry its key: give the trust file, or --log-vkey.")
        return trusts.of_keys(self.log_vkeys, self.evidence_keys or [])


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options with which a caller says what is trusted."""
    command.add_argument("--trust", type=Path, metavar="FILE", help="the trust file that you obtained on another way")
    command.add_argument(
        "--trust-sha256",
        metavar="HEX",
        help="the fingerprint that the file of --trust must have; compare it with the one you were told",
    )
    command.add_argument(
        "--log-vkey",
        action="append",
        default=[],
        metavar="FILE|VKEY",
        help="a ledger key you trust, as a file or a line name+keyid+base64; may be given more than once",
    )
    command.add_argument(
        "--evidence-key",
        action="append",
        type=Path,
        default=[],
        metavar="PEM",
        help="an evidence key you trust, as a PEM file; may be given more than once",
    )


def read(options: argparse.Namespace) -> Pins:
    """The pins of a command line; raises UnreadableError, TrustFileError or CheckpointKeyError."""
    keys = [_vkey(text) for text in options.log_vkey] or None
    evidence_keys = [_evidence_key(path) for path in options.evidence_key] or None
    if options.trust is None:
        if options.trust_sha256 is not None:
            raise UnreadableError("--trust-sha256 says which file --trust must be: name the file, too.")
        return Pins(None, keys, evidence_keys)
    if keys or evidence_keys:
        raise UnreadableError("Give a trust file or single keys, not both: they could contradict each other.")
    data = read_file(options.trust)
    if options.trust_sha256 is not None and trusts.fingerprint(data) != options.trust_sha256.lower():
        raise TrustFileError(f"{options.trust} has the fingerprint {trusts.fingerprint(data)}; you gave another.")
    return Pins(trusts.parse(data), None, None)


def read_file(path: Path) -> bytes:
    """The bytes of a file that the caller names; raises UnreadableError or TooLargeError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ARCHIVE_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_ARCHIVE_BYTES:
        raise TooLargeError(f"{path} is larger than any file of evidence ({MAX_ARCHIVE_BYTES} bytes).")
    return data


def _evidence_key(path: Path) -> EllipticCurvePublicKey:
    """The public key in a PEM file that the caller names; it is the caller's file, not the bundle's, that may be wrong."""
    try:
        return dsse.load_public_key(read_file(path))
    except MalformedFileError as error:
        raise UnreadableError(f"{path} should hold an evidence key, a P-256 public key in PEM. {error}") from error


def _vkey(text: str) -> str:
    """A vkey given as it is (it holds two plus signs and is no file), or the content of a file."""
    is_line = text.count("+") >= 2
    try:
        line = text if is_line and not Path(text).exists() else read_file(Path(text)).decode().strip()
        return str(parse_vkey(line))
    except CheckpointKeyError as error:
        raise UnreadableError(f"{text} should hold the ledger key, a line name+keyid+base64. {error}") from error
    except OSError:
        # A line can be too long for the name of a file, which some systems take for an error.
        return text
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{text} does not hold a vkey line.") from error
