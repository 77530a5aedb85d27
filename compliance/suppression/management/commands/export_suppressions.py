"""`manage.py export_suppressions FILE`: the tokens of people who were erased, to be kept beside the backups."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.readiness import refuse_missing_tables
from compliance.suppression.errors import SuppressionError
from compliance.suppression.exchange import export_tokens


class Command(BaseCommand):
    help = "Write the tokens of people who were erased to a file (JSON Lines), as a backup that outlives the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        refuse_missing_tables()
        try:
            n_tokens = export_tokens(file)
        except SuppressionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {n_tokens} tokens")
