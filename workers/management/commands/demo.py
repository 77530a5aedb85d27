"""`manage.py demo`: one deletion request, from HTTP to evidence that is verified offline, on real data."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workers.demo.client import HttpError
from workers.demo.story import DemoError, tell
from workers.processes import ProcessError


class Command(BaseCommand):
    help = "Tell the whole story on this machine: train, register, request, approve, forget, audit, sign, verify."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8017, help="port of the demo's web process (default: 8017)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes accounts and reads mail from files: set EXPUNGE_DEBUG=1 to run it.")
        try:
            tell(port=port, write=self.stdout.write)
        except (DemoError, HttpError, ProcessError) as error:
            raise CommandError(str(error)) from error
