"""`python -m compliance.evidence witness …`: make a witness, tell it of logs, run it, look at it."""

import argparse
import logging
import re
import sys
from pathlib import Path
from typing import Any

from compliance.evidence import cosignature, terminal, witness_policy
from compliance.evidence.errors import EvidenceError, ExitCode, UnreadableError
from compliance.evidence.witness import store
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.server import WitnessServer, serve
from compliance.evidence.witness.service import KnownLog
from compliance.evidence.witness.store import StateFolderError, Store

_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:]+)\]|([^\[\]:\s]+)):([0-9]{1,5})")
_EXPLANATION = """\
A witness keeps the newest checkpoint of each log it watches, and cosigns a newer one only when it begins with the very
entries of the last. It sees sizes and hashes, no entries. Run it where the controller of the log has no access.

Never restore an old copy of its folder: it would sign a second history. Begin anew with `init` and a new key.
"""


# argparse names the type of its groups of commands only by a private name.
def add_arguments(commands: Any) -> None:
    """Register `witness` and what it can do with the sub-parsers of a command."""
    witness = commands.add_parser(
        "witness",
        help="make and run a witness that cosigns checkpoints",
        description=_EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = witness.add_subparsers(dest="action", required=True)
    init = actions.add_parser("init", help="make a folder with a new key, and print what others need of it")
    init.add_argument("--name", required=True, help="the witness's name, as a URL without scheme: dpo.example.org/w1")
    add_log = actions.add_parser("add-log", help="watch a log, or take a further key of it (stop `serve` before)")
    add_log.add_argument("vkey", metavar="VKEY", help="the log's key, a line name+keyid+base64")
    serving = actions.add_parser("serve", help="answer over HTTP until SIGTERM or Ctrl-C")
    serving.add_argument("--listen", required=True, metavar="HOST:PORT", help="such as 127.0.0.1:8089 or [::1]:8089")
    show = actions.add_parser("show", help="print the witness's key and the newest checkpoint of each log")
    for action in (init, add_log, serving, show):
        action.add_argument("--folder", required=True, type=Path, metavar="DIR", help="the witness's folder")


def run(options: argparse.Namespace) -> int:
    """Run one action; returns the exit code, after a sentence on stderr when it is not 0."""
    actions = {"init": _init, "add-log": _add_log, "serve": _serve, "show": _show}
    try:
        actions[options.action](options)
    except EvidenceError as error:
        return _tell(error.code, str(error), error.remedy)
    except StateFolderError as error:
        return _tell(ExitCode.UNREADABLE, str(error))
    except OSError as error:
        return _tell(ExitCode.UNREADABLE, f"The system refused it: {error.strerror or error}.")
    return int(ExitCode.VERIFIED)


def _tell(code: ExitCode, text: str, *remedies: str) -> int:
    print("\n".join([f"NOT DONE: {terminal.one_line(text)}", *remedies]), file=sys.stderr)
    return int(code)


def _init(options: argparse.Namespace) -> None:
    # Asked before anything is made: a name with a space in it would be two words of a policy.
    if not options.name.split() == [options.name] or "+" in options.name or options.name == "none":
        raise UnreadableError(f"Expected a name without spaces and plus, other than none, found {options.name!r}.")
    vkey = str(store.create(options.folder, options.name))
    line = f"witness {options.name} {vkey}"
    witness_policy.parse(f"{line}\nquorum {options.name}\n")
    print(f"The key of this witness, for whoever relies on it:\n{vkey}\n")
    print(f"Its line in a policy file; append the URL under which logs reach it:\n{line}")


def _add_log(options: argparse.Namespace) -> None:
    with Store.open(options.folder) as opened:
        log = opened.add_log(options.vkey)
    print(f"Watching {log.origin} under {len(log.vkeys)} key(s). Its checkpoints, once cosigned, are at the path")
    print(f"/{store.origin_sha256(log.origin)}/checkpoint")


def _serve(options: argparse.Namespace) -> None:
    address = _address(options.listen)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with Store.open(options.folder) as opened:
        server = WitnessServer(address, Cosigner(opened))
        host, port = server.server_name, server.server_port
        names = ", ".join(sorted(opened.logs)) or "no log yet; stop, run add-log, and serve again"
        # The line is flushed: whoever started this process waits for it.
        print(f"Witness {opened.vkey.name} listens on http://{_spelled(host)}:{port} for {names}.", flush=True)
        serve(server)
    print("Stopped.")


def _show(options: argparse.Namespace) -> None:
    state = store.State.read(options.folder)
    print(f"Witness {state.vkey.name}\n{state.vkey}")
    for log in state.logs.values():
        print(_described(log, str(state.vkey)))
    if state.n_forks:
        print(f"FORKS: {state.n_forks} notes in the folder forks prove that a log signed two roots for one size.")


def _described(log: KnownLog, vkey: str) -> str:
    path = f"/{store.origin_sha256(log.origin)}/checkpoint"
    if log.note is None:
        return f"\n{log.origin}\n  {path}\n  no checkpoint yet"
    at = max(each.cosigned_at for each in cosignature.cosignatures(log.note, vkey))
    head = log.head
    return f"\n{log.origin}\n  {path}\n  size {head.size}, root {head.root.hex()}, cosigned at {at.isoformat()}"


def _address(text: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise UnreadableError(f"Expected an address such as 127.0.0.1:8089 or [::1]:8089 to listen on, found {text!r}.")
    return match[1] or match[2], int(match[3])


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host
