"""`manage.py publisher`: cosignatures, time stamps, and the log as files. It has no key."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.errors import TrustFileError
from compliance.ledger import hold, log_store, process_loop, timestamping, witnesses
from compliance.ledger.models import Outsider
from compliance.ledger.process_loop import ALARM_EXIT_CODE, MinuteVoice, Process
from compliance.ledger.publisher import Publisher
from compliance.ledger.readiness import refuse_missing_tables

BUSY_SECONDS = 0.1
IDLE_SECONDS = 0.5


class Command(BaseCommand):
    help = "Have checkpoints witnessed and time-stamped, and publish the log as files in EXPUNGE_LOG_DIR."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is signed now, and stop")
        parser.add_argument("--whole", action="store_true", help="first compare every file and entry with the tree")

    def handle(self, *args: Any, once: bool, whole: bool, **options: Any) -> None:
        try:
            store = log_store.store_at(settings.LOG_DIR)
            publisher = Publisher(store, witnesses.policy(), timestamping.configured())
        except (ImproperlyConfigured, TrustFileError) as error:
            raise CommandError(str(error)) from error
        is_whole, voice = whole, MinuteVoice(self.stderr.write)

        def step() -> bool:
            nonlocal is_whole
            held = hold.current()
            if held is not None:
                # What is signed is published all the same: others should see it.
                voice.say("hold", f"The ledger is held, entries get no positions. {held.reason}")
            is_more = publisher.publish(is_whole=is_whole)
            is_whole = False
            return is_more

        def prepare() -> None:
            refuse_missing_tables()
            publisher.forget_former_outsiders()

        process = Process(prepare=prepare, step=step, busy_seconds=BUSY_SECONDS, idle_seconds=IDLE_SECONDS)
        process_loop.run(process, self.stderr.write, once=once)
        if once:
            _refuse_problems()


def _refuse_problems() -> None:
    """Raises CommandError for what could not be done, with exit code 3 when somebody contradicts the ledger."""
    rows = list(Outsider.objects.exclude(problem=""))
    if rows:
        code = ALARM_EXIT_CODE if any(row.is_alarm for row in rows) else 1
        raise CommandError("\n".join(f"{row.name}: {row.problem}" for row in rows), returncode=code)
