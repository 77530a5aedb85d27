"""`manage.py register_model NAME --weights FOLDER --data FILE.npz`: a trained model becomes answerable for deletion."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.readiness import refuse_missing_tables
from compliance.registry.errors import RegistryError
from compliance.sources.declaration import SourceDeclaration
from compliance.sources.errors import DeclarationError, SourceError
from compliance.suppression.errors import SuppressionError
from ml_core.errors import UnlearningError


class Command(BaseCommand):
    help = "Check a trained model and the records behind it, and register both. On any error nothing is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="letters, digits, hyphens and underscores; not taken yet")
        parser.add_argument("--weights", type=Path, required=True, help="folder that the model's family wrote")
        parser.add_argument("--data", type=Path, required=True, help="npz file of the training and holdout records")
        parser.add_argument("--purpose", default="", help="what the model is for, in a few words")
        parser.add_argument(
            "--persons",
            type=Path,
            metavar="FILE.json",
            help="declaration of the data source that says whose the records are (default: person_ids of the npz file)",
        )
        parser.add_argument("--source", default="", help="name of the data source (default: NAME-data)")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        refuse_missing_tables()
        from workers.registration import Registration, register  # Imports torch.

        try:
            registration = Registration(
                name=name,
                purpose=options["purpose"],
                weights=Path(options["weights"]),
                data=Path(options["data"]),
                source_name=options["source"] or f"{name}-data",
                persons=_declaration(Path(options["persons"])) if options["persons"] else None,
            )
            version = register(registration)
        except (RegistryError, UnlearningError, SourceError, SuppressionError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"model {version.model_id} ({name})")
        self.stdout.write(f"version {version.sha256}, trained on {version.n_records} records")


def _declaration(path: Path) -> SourceDeclaration:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DeclarationError(f"{path.name}: expected a declaration in JSON, found none.") from error
    return SourceDeclaration.from_dict(document)
