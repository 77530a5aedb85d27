"""`manage.py sequencer`: gives waiting entries their positions. It has no key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.tiles import TileError
from compliance.ledger import process_loop
from compliance.ledger.models import PendingEntry
from compliance.ledger.process_loop import Process
from compliance.ledger.readiness import refuse_missing_tables, refuse_volatile_database
from compliance.ledger.sequencer import ClockError, LogSizeError, Sequencer


class Command(BaseCommand):
    help = "Give waiting ledger entries their positions. Several may run: one of them leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="empty the outbox and stop; fails when entries have to stay in it"
        )
        parser.add_argument(
            "--accept-clock",
            action="store_true",
            help="end a log and open the next although the clock went back, or on by more than a year",
        )

    def handle(self, *args: Any, once: bool, accept_clock: bool, **options: Any) -> None:
        if accept_clock and not once:
            raise CommandError("--accept-clock is for one look at the clock. Use it together with --once.")
        sequencer = Sequencer(accepts_clock=accept_clock)
        process = Process(
            prepare=self._prepare,
            # Looked up first without a lock: an empty outbox keeps nobody waiting.
            step=lambda: PendingEntry.objects.exists() and sequencer.sequence() > 0,
            busy_seconds=0.0,
            idle_seconds=0.05,
            alarms=(TileError, LogSizeError, ClockError),
        )
        process_loop.run(process, self.stderr.write, once=once)
        reason = sequencer.why_waiting() if once and PendingEntry.objects.exists() else None
        if reason is not None:
            raise CommandError(f"{PendingEntry.objects.count()} entries stay in the outbox. {reason}")

    def _prepare(self) -> None:
        refuse_missing_tables()
        refuse_volatile_database(self.stderr.write)
