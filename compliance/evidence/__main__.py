"""`python -m compliance.evidence verify BUNDLE`: the auditor's command."""

import argparse
import io
import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import errors, signing
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.container import MAX_ARCHIVE_BYTES
from compliance.evidence.errors import (
    CheckpointKeyError,
    EvidenceError,
    ExitCode,
    MalformedFileError,
    TooLargeError,
    UnreadableError,
)
from compliance.evidence.report import Report
from compliance.evidence.verify import verify_bundle

_EXPLANATION = """\
Verifies one erasure request offline: no network, no server, no database.

Give it the keys that you obtained from the controller on another way than this bundle. Without them the keys in the
bundle are used: the result then says that the bundle is consistent, and which fingerprints you still have to compare.
"""
_WIDTH = 118


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not turn a verified bundle into a failure.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        report = verify_bundle(
            _read(options.bundle),
            log_vkeys=[_vkey(text) for text in options.log_vkey] or None,
            evidence_keys=[_evidence_key(path) for path in options.evidence_key] or None,
        )
    except EvidenceError as error:
        _show_refusal(error, as_json=options.json)
        return int(error.code)
    print(json.dumps({"verified": True, "code": 0, **report.to_dict()}, indent=2) if options.json else _table(report))
    return int(ExitCode.VERIFIED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compliance.evidence", description="Verify Expunge evidence.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser(
        "verify",
        help="verify a bundle offline",
        description=_EXPLANATION,
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .zip file exported for one request")
    verify.add_argument(
        "--log-vkey",
        action="append",
        default=[],
        metavar="FILE|VKEY",
        help="the ledger key you trust, as a file or a line name+keyid+base64; may be given more than once",
    )
    verify.add_argument(
        "--evidence-key",
        action="append",
        type=Path,
        default=[],
        metavar="PEM",
        help="an evidence key you trust, as a PEM file; may be given more than once",
    )
    verify.add_argument("--json", action="store_true", help="print the report, or the refusal, as JSON on stdout")
    return parser


def exit_code_table() -> list[tuple[int, str, str]]:
    """(code, name, meaning) of every exit code, in ascending order."""
    meanings = {
        ExitCode.VERIFIED: "verified",
        ExitCode.UNEXPECTED_ERROR: "the verifier itself failed: not verified",
        ExitCode.USAGE: "the command line is wrong",
    }
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EvidenceError)]
    meanings |= {kind.code: kind.meaning for kind in kinds if kind is not EvidenceError}
    return [(int(code), code.name.lower(), meanings[code]) for code in sorted(ExitCode)]


def _exit_codes() -> str:
    lines = [f"  {code:>3}  {name:<22} {meaning}" for code, name, meaning in exit_code_table()]
    return "\n".join(["exit codes:", *lines])


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ARCHIVE_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_ARCHIVE_BYTES:
        raise TooLargeError(f"{path} is larger than any bundle ({MAX_ARCHIVE_BYTES} bytes).")
    return data


def _evidence_key(path: Path) -> EllipticCurvePublicKey:
    """The public key in a PEM file that the caller names; it is the caller's file, not the bundle's, that may be wrong."""
    try:
        return signing.load_public_key(_read(path))
    except MalformedFileError as error:
        raise UnreadableError(f"{path} should hold an evidence key, a P-256 public key in PEM. {error}") from error


def _vkey(text: str) -> str:
    """A vkey given as it is (it holds two plus signs and is no file), or the content of a file."""
    is_line = text.count("+") >= 2
    try:
        line = text if is_line and not Path(text).exists() else _read(Path(text)).decode().strip()
        return str(parse_vkey(line))
    except CheckpointKeyError as error:
        raise UnreadableError(f"{text} should hold the ledger key, a line name+keyid+base64. {error}") from error
    except OSError:
        # A line can be too long for the name of a file, which some systems take for an error.
        return text
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{text} does not hold a vkey line.") from error


def _show_refusal(error: EvidenceError, *, as_json: bool) -> None:
    if as_json:
        refusal = {
            "verified": False,
            "code": int(error.code),
            "name": error.code.name.lower(),
            "meaning": error.meaning,
            "message": str(error),
            "remedy": error.remedy,
        }
        print(json.dumps(refusal, indent=2))
        return
    print(f"NOT VERIFIED: {error.meaning}.\n{error}\n{error.remedy}", file=sys.stderr)
    print(f"(exit code {int(error.code)}, {error.code.name.lower()})", file=sys.stderr)


def _table(report: Report) -> str:
    width = max(len(step.title) for step in report.steps)
    steps = [f"  {step.number:>2}. {step.title:<{width}}  ok  {step.detail}" for step in report.steps]
    parts = [
        f"{_headline(report)} Request {report.request}: {report.state}.",
        *steps,
        "",
        "What the proofs show",
        *[_wrap(line) for line in report.conclusions],
        "",
        *_keys(report),
        "",
        "Left to you",
        *[_wrap(line) for line in report.left_to_caller],
    ]
    return "\n".join(parts)


def _headline(report: Report) -> str:
    is_pinned = report.is_log_key_pinned and (report.is_evidence_key_pinned or not report.evidence_key_sha256s)
    return "VERIFIED." if is_pinned else "CONSISTENT, UNDER KEYS THAT YOU STILL HAVE TO COMPARE."


def _keys(report: Report) -> list[str]:
    lines = ["Keys (hex SHA-256 of the public key's DER form)"]
    lines.append(f"  ledger    {report.log_key_sha256}  {_origin(report.is_log_key_pinned)}")
    lines += [f"  evidence  {keyid}  {_origin(report.is_evidence_key_pinned)}" for keyid in report.evidence_key_sha256s]
    if not report.is_log_key_pinned or (report.evidence_key_sha256s and not report.is_evidence_key_pinned):
        lines += [
            "",
            "  WARNING: keys out of the bundle itself were used. Anyone can make a bundle with keys of their own.",
            "  Compare the fingerprints above with those the controller gave you on another way, or pass the keys with",
            "  --log-vkey and --evidence-key.",
        ]
    return lines


def _origin(is_pinned: bool) -> str:
    return "(yours)" if is_pinned else "(from the bundle: COMPARE)"


def _wrap(line: str) -> str:
    indent = "    " if line.startswith("  ") else "  "
    return textwrap.fill(line.strip(), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


if __name__ == "__main__":
    sys.exit(main())
