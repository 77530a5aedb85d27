"""`manage.py replay_erasures`: after a restore, which models hold people again who were erased?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from compliance.ledger.readiness import refuse_missing_tables
from compliance.suppression.restored import resurrected


class Command(BaseCommand):
    help = (
        "List the models whose lineage names people who were erased, as after the restore of an old backup. Exit code "
        "0: none; 1: these must forget again. Import the tokens first: `manage.py import_suppressions`."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_missing_tables()
        n_models = 0
        for found in resurrected():
            n_models += 1
            self.stdout.write(
                f"model {found.model.pk} ({found.model.name}): {found.n_records} records of {found.n_people} people "
                "who were erased"
            )
        if n_models:
            sys.exit(1)
        self.stdout.write("No model holds records of people who were erased.")
