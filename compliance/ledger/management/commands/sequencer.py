"""`manage.py sequencer`: positions entries and signs checkpoints, in a process of its own with a key of its own."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections

from compliance.evidence.signing import KeyFileError
from compliance.ledger import keys
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.readiness import refuse_missing_tables
from compliance.ledger.sequencer import sequence_batch

POLL_SECONDS = 0.1
DATABASE_RETRY_SECONDS = 2.0


class Command(BaseCommand):
    help = "Position waiting ledger entries and sign a checkpoint after each batch. Run exactly one in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="empty the outbox, sign one checkpoint, and stop")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        try:
            key = keys.ledger_key()
        except KeyFileError as error:
            raise CommandError(str(error)) from error
        stop, is_published = threading.Event(), False
        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                if not is_published:
                    refuse_missing_tables()
                    keys.publish_checkpoint_key()
                    is_published = True
                moved = sequence_batch()
                sign_checkpoint(key)
            except OperationalError as error:
                if once:
                    raise
                # The database restarted or is locked: nothing is lost, the outbox waits.
                self.stderr.write(f"database not reachable, trying again: {error}")
                close_old_connections()
                stop.wait(DATABASE_RETRY_SECONDS)
                continue
            if not moved:
                if once:
                    return
                stop.wait(POLL_SECONDS)
