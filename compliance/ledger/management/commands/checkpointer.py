"""`manage.py checkpointer`: signs tree heads, in a process of its own with a key of its own."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.signing import KeyFileError, SignerError, SignerUnreachableError
from compliance.evidence.tiles import TileError
from compliance.ledger import checkpointer, process_loop
from compliance.ledger.checkpointer import LogForkError, OtherKeyError
from compliance.ledger.errors import KeyOutOfUseError
from compliance.ledger.guard import GuardError
from compliance.ledger.process_loop import Process
from compliance.ledger.readiness import refuse_missing_tables, refuse_volatile_database

# At most five signatures a second, each at most this long after the log grew.
PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    help = "Sign a checkpoint whenever the ledger has grown. The only process that needs the ledger's key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="sign what is not signed yet, say what, and stop")
        parser.add_argument(
            "--adopt-heads",
            action="store_true",
            help="let the guard file take over the stored heads that it lacks, after its disk was lost, and stop",
        )
        parser.add_argument("--yes", action="store_true", help="with --adopt-heads: without asking")

    def handle(self, *args: Any, once: bool, adopt_heads: bool, yes: bool, **options: Any) -> None:
        steps = Process(
            prepare=self._prepare,
            step=lambda: self._adopt(is_confirmed=yes) if adopt_heads else self._sign(is_said=once),
            busy_seconds=PAUSE_SECONDS,
            idle_seconds=PAUSE_SECONDS,
            waits_for=(SignerUnreachableError,),
            alarms=(LogForkError, OtherKeyError, KeyOutOfUseError, GuardError, TileError),
            ends_with=(KeyFileError, SignerError),
        )
        process_loop.run(steps, self.stderr.write, once=once or adopt_heads)
        if once and not adopt_heads:
            self.stdout.write("Nothing more to sign.")

    def _sign(self, *, is_said: bool) -> bool:
        signed = checkpointer.sign_checkpoint()
        if signed is not None and is_said:
            self.stdout.write(f"Signed {_shown(signed.log.origin, signed.size, signed.root_sha256)}")
        return signed is not None

    def _adopt(self, *, is_confirmed: bool) -> bool:
        lacking = checkpointer.heads_to_adopt()
        for head in lacking:
            self.stdout.write(f"Stored, and not in the guard: {_shown(head.origin, head.size, head.root_sha256)}")
        if not lacking:
            self.stdout.write("The guard holds every stored head: nothing to adopt.")
        elif is_confirmed or _is_confirmed(self.stdout.write):
            for head in checkpointer.adopt_heads():
                self.stdout.write(f"Adopted {_shown(head.origin, head.size, head.root_sha256)}")
        return False

    def _prepare(self) -> None:
        refuse_missing_tables()
        refuse_volatile_database(self.stderr.write)


def _shown(origin: str, size: int, root_sha256: str) -> str:
    return f"{origin}: {size} entries, root {root_sha256}"


def _is_confirmed(say: Callable[[str], object]) -> bool:
    """Asks whoever sits at the terminal; raises CommandError without one, and when the answer is no."""
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask. Compare these heads with others, and add --yes.")
    say("Did you compare these heads with what witnesses, auditors and the published log show? Type yes to adopt them:")
    if input().strip() != "yes":
        raise CommandError("Nothing was adopted.")
    return True
