"""`manage.py checkpointer`: signs tree heads, in a process of its own with a key of its own."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from compliance.evidence.signing import KeyFileError, SignerError, SignerUnreachableError
from compliance.evidence.tiles import TileError
from compliance.ledger import process_loop
from compliance.ledger.checkpointer import LogForkError, OtherKeyError, sign_checkpoint
from compliance.ledger.guard import GuardError
from compliance.ledger.process_loop import Process
from compliance.ledger.readiness import refuse_missing_tables, refuse_volatile_database

# At most five signatures a second, each at most this long after the log grew.
PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    help = "Sign a checkpoint whenever the ledger has grown. The only process that needs the ledger's key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="sign what is not signed yet and stop")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        process = Process(
            prepare=self._prepare,
            step=lambda: sign_checkpoint() is not None,
            busy_seconds=PAUSE_SECONDS,
            idle_seconds=PAUSE_SECONDS,
            waits_for=(SignerUnreachableError,),
            alarms=(LogForkError, OtherKeyError, GuardError, TileError),
            ends_with=(KeyFileError, SignerError),
        )
        process_loop.run(process, self.stderr.write, once=once)

    def _prepare(self) -> None:
        refuse_missing_tables()
        refuse_volatile_database(self.stderr.write)
