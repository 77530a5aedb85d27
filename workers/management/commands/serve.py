"""`manage.py serve`: everything on one machine, until Ctrl-C."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers.preparation import STARTING_FAILS, prepare
from workers.processes import Processes, port_number

WATCH_SECONDS = 1.0


class Command(BaseCommand):
    help = (
        "Run web, worker, beat, the processes of the ledger and (without REDIS_URL) an embedded broker on this machine."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=port_number, default=8000, help="port to listen on (default: 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            prepare()
            with Processes(host=host, port=port) as processes:
                self.stdout.write(f"Portal  {processes.url}/\nAPI     {processes.url}/api/v1/schema\nStop with Ctrl-C.")
                while not stop.wait(WATCH_SECONDS):
                    processes.refuse_ended()
        except STARTING_FAILS as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped.")
