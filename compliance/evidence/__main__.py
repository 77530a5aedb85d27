"""`python -m compliance.evidence`: the auditor's commands. `verify` and `explain` for evidence, `consistency` and
`witness` for logs."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compliance.evidence import errors, explanation, growth, pins, tables, terminal
from compliance.evidence.errors import EvidenceError, ExitCode, UnreadableError
from compliance.evidence.pins import Pins
from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export
from compliance.evidence.witness import command as witness

_VERIFY = """\
Verifies offline: no network, no server, no database.

EXPORT is the .zip file of one request, or the folder of an export of whole ledgers.

Give it the trust file that you obtained from the controller, after comparing its fingerprint on another way. Without
one the keys that came with the evidence are used: the result then says that it is consistent, and which fingerprints
you still have to compare.
"""
_EXPLAIN = """\
Tells one request's story, entry by entry, each with its place in the log and the proof that it stands there.

Everything is verified first, as `verify` does it; what does not verify is not told.
"""
_CONSISTENCY = """\
Checks that a log only grew: that no entry was changed, removed or put in between since a checkpoint that you kept.

OLD is the file `checkpoint` of an earlier export, or a checkpoint as a witness holds it. NEW is the folder of the same
log now, logs/LOG of a newer export or a published log, or a proof file.
"""

# Each is forked at once.
_MAX_PROCESSES = 256
_PROCESSES = f"judge N requests at once, up to {_MAX_PROCESSES} (default: all cores)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not turn a verified bundle into a failure.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    if options.command == "witness":
        return witness.run(options)
    try:
        value, text = _COMMANDS[options.command](options)
    except EvidenceError as error:
        _show_refusal(error, as_json=options.json)
        return int(error.code)
    _show(json.dumps({"verified": True, "code": 0, **value}, indent=2) if options.json else terminal.lines(text))
    return int(ExitCode.VERIFIED)


def _show(text: str) -> None:
    """Whoever reads only the first lines, as `head` does, closes the pipe: what was found stays what it is."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _verify(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    pinned = pins.read(options)
    if _is_folder(options.export):
        whole = verify_export(options.export, trust=pinned.trust_alone(), n_processes=options.processes)
        return whole.to_dict(), tables.export_table(whole)
    report = verify_bundle(pins.read_file(options.export), **pinned.for_bundle())
    return report.to_dict(), tables.bundle_table(report)


def _explain(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    pinned: Pins = pins.read(options)
    if _is_folder(options.export):
        story = explanation.of_export(options.export, options.request, pinned.trust_alone())
    else:
        story = explanation.of_bundle(pins.read_file(options.export), options.request, pinned)
    return story.to_dict(), tables.story_table(story)


def _consistency(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    trust = pins.read(options).of_logs()
    old_note = pins.read_file(options.old)
    if _is_folder(options.new):
        grown = growth.in_folder(old_note, options.new, trust)
    else:
        grown = growth.in_proof(old_note, pins.read_file(options.new), trust)
    if options.write_proof is not None:
        _write_new(options.write_proof, grown.proof)
    return grown.to_dict(), tables.growth_table(grown)


def _write_new(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror or error}. Name a new file.") from error


_COMMANDS = {"verify": _verify, "explain": _explain, "consistency": _consistency}


def _is_folder(path: Path) -> bool:
    """False for a path that the system refuses to look at: reading it will say why."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compliance.evidence", description="Verify Expunge evidence.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = _command(commands, "verify", "verify a bundle or an export offline", _VERIFY)
    verify.add_argument("export", type=Path, metavar="EXPORT", help="the .zip file of a request, or an export's folder")
    verify.add_argument("--processes", type=_count, metavar="N", help=_PROCESSES)
    explain = _command(commands, "explain", "tell one request's story with its proofs", _EXPLAIN)
    explain.add_argument(
        "export", type=Path, metavar="EXPORT", help="the .zip file of a request, or an export's folder"
    )
    explain.add_argument("request", metavar="REQUEST", help="the id of the request")
    grown = _command(commands, "consistency", "check that a log only grew since a checkpoint you kept", _CONSISTENCY)
    grown.add_argument("old", type=Path, metavar="OLD", help="the checkpoint that you kept, a file")
    grown.add_argument("new", type=Path, metavar="NEW", help="the log's folder now, or a proof file")
    grown.add_argument("--write-proof", type=Path, metavar="FILE", help="write the proof into a new file, for others")
    for command in (verify, explain, grown):
        pins.add_arguments(command)
        command.add_argument("--json", action="store_true", help="print the report, or the refusal, as JSON on stdout")
    witness.add_arguments(commands)
    return parser


def _command(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return made


def _count(text: str) -> int:
    # The length first: a number of very many digits is not even read.
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 0 < int(text) <= _MAX_PROCESSES:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0 and up to {_MAX_PROCESSES}, found {text!r}")
    return int(text)


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
    print(f"NOT VERIFIED: {error.meaning}.\n{terminal.one_line(str(error))}\n{error.remedy}", file=sys.stderr)
    print(f"(exit code {int(error.code)}, {error.code.name.lower()})", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
