"""`manage.py lifecycle`: the page about the states of a request, made from the table that the code goes by."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from compliance.requests.lifecycle import page


class Command(BaseCommand):
    help = "Print docs/lifecycle.md as the table of states gives it, or write it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/lifecycle.md instead of printing it")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        if write:
            (settings.ROOT / "docs" / "lifecycle.md").write_text(page())
        else:
            self.stdout.write(page())
