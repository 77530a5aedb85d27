"""`manage.py demo`: one deletion request, from HTTP to evidence that is verified offline, on real data."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workers.demo.client import HttpError
from workers.demo.story import DemoError, tell
from workers.preparation import STARTING_FAILS
from workers.processes import port_number


class Command(BaseCommand):
    help = "Tell the whole story on this machine: train, register, request, approve, forget, audit, sign, verify."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8017, help="port of the demo's web process (default: 8017)"
        )

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes accounts and reads mail from files: set EXPUNGE_DEBUG=1 to run it.")
        # So that the processes are stopped in order, and the broker with them.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            tell(port=port, write=self.stdout.write)
        except (DemoError, HttpError, *STARTING_FAILS) as error:
            raise CommandError(str(error)) from error
