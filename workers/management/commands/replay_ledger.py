"""`manage.py replay_ledger LOGFOLDER [--apply]`: after a restore, what happened since the backup is done again."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.errors import EvidenceError
from compliance.ledger.guard import GuardError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.published_logs import PublishedLogError
from compliance.ledger.readiness import refuse_missing_tables
from compliance.requests.errors import RequestError

LACKING = 1


class Command(BaseCommand):
    help = (
        "Compare the database with the published log (or an export) and list what it lacks after the restore of an old "
        "backup: entries, closed requests, identities that were shredded, versions that serve or were destroyed. Exit "
        "code 0: nothing; 1: this was found. With --apply it is done again, in one transaction, and the exit code is 0."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="EXPUNGE_LOG_DIR, or the folder of an export")
        parser.add_argument("--apply", action="store_true", help="do it; without this nothing is changed")

    def handle(self, *args: Any, folder: Path, apply: bool, **options: Any) -> None:
        refuse_missing_tables()
        from workers import ledger_replay  # Imports torch.

        try:
            lines = ledger_replay.replay(folder, is_applied=apply)
            lost = ledger_replay.not_published(folder)
        except (PublishedLogError, GuardError, EvidenceError, AnotherLeadsError, RequestError) as error:
            raise CommandError(str(error)) from error
        for line in lines:
            self.stdout.write(line)
        for line in lost:
            self.stderr.write(f"LOST: {line}. Look for them in an archive of the database, or in an export.")
        if not lines:
            self.stdout.write("The database lacks nothing of what the published log says.")
        elif not apply:
            self.stdout.write("Nothing was changed. With --apply this is done again.")
            sys.exit(LACKING)
