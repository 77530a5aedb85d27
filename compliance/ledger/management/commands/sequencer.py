"""`manage.py sequencer`: gives waiting entries their positions. It has no key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from compliance.evidence.tiles import TileError
from compliance.ledger import process_loop
from compliance.ledger.models import PendingEntry
from compliance.ledger.process_loop import Process
from compliance.ledger.readiness import refuse_missing_tables, refuse_volatile_database
from compliance.ledger.sequencer import sequence_batch


class Command(BaseCommand):
    help = "Give waiting ledger entries their positions. Several may run: one of them leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="empty the outbox and stop")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        process = Process(
            prepare=self._prepare,
            # Looked up first without a lock: an empty outbox keeps nobody waiting.
            step=lambda: PendingEntry.objects.exists() and sequence_batch() > 0,
            busy_seconds=0.0,
            idle_seconds=0.05,
            alarms=(TileError,),
        )
        process_loop.run(process, self.stderr.write, once=once)

    def _prepare(self) -> None:
        refuse_missing_tables()
        refuse_volatile_database(self.stderr.write)
