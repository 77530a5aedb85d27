"""`manage.py create_keys`: makes the ledger's and the evidence key where they are missing."""

from typing import Any

from django.core.management.base import BaseCommand

from compliance.ledger import keys
from compliance.ledger.readiness import refuse_missing_tables


class Command(BaseCommand):
    help = "Create the missing key files (readable by their owner alone) and publish their public halves."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_missing_tables()
        made = keys.create_missing()
        for path in made:
            self.stdout.write(f"created {path}")
        for row in (keys.publish_checkpoint_key(), keys.publish_evidence_key()):
            self.stdout.write(f"{row.purpose} key {row.key_sha256}")
