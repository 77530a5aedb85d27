"""`manage.py import_suppressions FILE`: after a restore, the people who were erased since are known again."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.readiness import refuse_missing_tables
from compliance.suppression.errors import SuppressionError
from compliance.suppression.exchange import import_tokens


class Command(BaseCommand):
    help = "Add the tokens of a file that export_suppressions wrote. None that are there are taken away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        refuse_missing_tables()
        try:
            n_tokens, n_new = import_tokens(file)
        except SuppressionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{n_tokens} tokens, {n_new} of them new")
