"""`python -m ml_core list | check [NAME]`: which methods and audits there are, and whether they keep their promises."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import torch

from ml_core.conformance import Check, checks
from ml_core.contract import Family
from ml_core.errors import ConformanceError, PluginError
from ml_core.registry import Catalogue, discover

_EXPLANATION = """\
Methods make a trained model forget records. Audits verify that it did. Families say how a kind of model is stored,
trained and scored. Each is one file; `list` shows those that were found, and `check` tries them on small problems with
a known answer: a method that claims to be exact must equal retraining byte for byte, an audit must fail a model from
which nothing was removed.

exit codes:
  0  listed; or every check passed, or is excused by an exemption that states its reason
  1  at least one check failed, or a plug-in's file breaks the contract
  2  the command was called wrongly: an unknown name, device or option
"""
_HEADINGS = ("KIND", "NAME", "VERSION", "ASSURANCE", "FAMILIES", "NEEDS")
_WIDTH = 118


class ExitCode(IntEnum):
    """What the command returns."""

    DONE = 0
    FAILED = 1
    MISUSED = 2


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One plug-in as listed: cells under ``_HEADINGS``, then sentences below them."""

    cells: tuple[str, ...]
    sentences: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        catalogue = discover(options.plugins)
    except PluginError as error:
        print(f"The catalogue is refused as a whole. {error}", file=sys.stderr)
        return ExitCode.FAILED
    if options.command == "list":
        print(json.dumps(_documents(catalogue), indent=2) if options.json else _table(_rows(catalogue)))
        return ExitCode.DONE
    return _check(catalogue, options.name, options.device)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml_core",
        description="List and check unlearning methods, audits and model families.",
        epilog=_EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        *("--plugins", "-p"),
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="also take plug-ins from FOLDER/methods, FOLDER/audits and FOLDER/families; may be repeated",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", parents=[shared], help="show every plug-in that was found")
    listing.add_argument("--json", action="store_true", help="print the full cards as JSON")
    checking = commands.add_parser("check", parents=[shared], help="run the checks that every plug-in must pass")
    checking.add_argument("name", metavar="NAME", nargs="?", help="a plug-in from `list`; all of them when left out")
    checking.add_argument("--device", default="cpu", help="where to run: cpu (the default), cuda, cuda:1, …")
    return parser


def _check(catalogue: Catalogue, name: str | None, device: str) -> int:
    names = sorted([*catalogue.methods, *catalogue.audits, *catalogue.families])
    if name is not None and name not in names:
        print(f"There is no plug-in called {name!r}. There are: {', '.join(names)}.", file=sys.stderr)
        return ExitCode.MISUSED
    if not _is_usable(device):
        print(f"Expected a device of this machine, cpu or cuda, found {device!r}.", file=sys.stderr)
        return ExitCode.MISUSED
    chosen = [check for check in checks(catalogue, torch.device(device)) if name in (None, check.plugin)]
    n_failed = sum(not _passes(check) for check in chosen)
    print(f"{len(chosen)} checks, {n_failed} failed")
    return ExitCode.FAILED if n_failed else ExitCode.DONE


def _is_usable(device: str) -> bool:
    try:
        return torch.empty(0, device=device).device.type in {"cpu", "cuda"}
    except (RuntimeError, AssertionError):  # torch raises the second where it was built without CUDA
        return False


def _passes(check: Check) -> bool:
    """Run one check and print its line."""
    try:
        reason = check.run()
    except ConformanceError as error:
        print(f"FAILED  {error}", flush=True)
        return False
    print(f"exempt  {check.name}: {reason}" if reason else f"ok      {check.name}", flush=True)
    return True


def _documents(catalogue: Catalogue) -> list[dict[str, Any]]:
    families = [
        {"kind": "family", "name": name, "summary": _summary(family)} for name, family in catalogue.families.items()
    ]
    return [card.to_dict() for card in catalogue.cards()] + families


def _rows(catalogue: Catalogue) -> list[_Row]:
    rows = []
    for card in catalogue.cards():
        families, needs = ", ".join(card.families), ", ".join(card.needs) or "nothing"
        cells = (card.kind, card.name, card.version, card.assurance or "-", families, needs)
        rows.append(_Row(cells=cells, sentences=(card.summary, f"Cost: {card.cost}")))
    for name, family in catalogue.families.items():
        rows.append(_Row(cells=("family", name, "-", "-", "-", "-"), sentences=(_summary(family),)))
    return rows


def _table(rows: Sequence[_Row]) -> str:
    columns = zip(_HEADINGS, *(row.cells for row in rows), strict=True)
    widths = [max(map(len, column)) for column in columns]
    lines = [_line(_HEADINGS, widths)]
    for row in rows:
        lines.append(_line(row.cells, widths))
        for sentence in row.sentences:
            lines += textwrap.wrap(sentence, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 10)
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _summary(family: Family) -> str:
    return (sys.modules[type(family).__module__].__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
