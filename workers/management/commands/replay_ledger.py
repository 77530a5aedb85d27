"""`manage.py replay_ledger LOGFOLDER [--apply]`: after a restore, what happened since the backup is done again."""

import sys
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from compliance.evidence.errors import EvidenceError
from compliance.ledger.guard import GuardError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.published_logs import PublishedLogError
from compliance.ledger.readiness import refuse_missing_tables
from compliance.ledger.roles import sqlstate
from compliance.requests.errors import RequestError

LACKING = 1
_INSUFFICIENT_PRIVILEGE = "42501"


class Command(BaseCommand):
    help = (
        "Compare the database with the published log (or an export) and list what it lacks after the restore of an old "
        "backup: entries, closed requests, identities that were shredded, versions that serve or were destroyed. Exit "
        "code 0: nothing, or nothing but lost rows that --accept-lost names; 1: this was found. With --apply it is done "
        "again, in one transaction, and the exit code is 0."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="EXPUNGE_LOG_DIR, or the folder of an export")
        parser.add_argument("--apply", action="store_true", help="do it; without this nothing is changed")
        parser.add_argument(
            "--accept-lost",
            dest="accepted",
            type=uuid.UUID,
            nargs="+",
            default=[],
            metavar="ID",
            help="requests or models whose row is LOST, and that somebody has seen to",
        )

    def handle(self, *args: Any, folder: Path, apply: bool, accepted: list[uuid.UUID], **options: Any) -> None:
        from workers import ledger_replay  # Imports torch.

        try:
            refuse_missing_tables()
            replayed = ledger_replay.replay(folder, is_applied=apply)
            not_published = ledger_replay.not_published(folder)
        except (PublishedLogError, GuardError, EvidenceError, AnotherLeadsError, RequestError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            if sqlstate(error) != _INSUFFICIENT_PRIVILEGE:
                raise
            raise CommandError(
                "This account may not write what is missing, looking included: nobody else may add entries to the log. "
                "Nothing was changed. Run it with the account that owns the database, as `migrate`."
            ) from error
        for line in replayed.lines:
            self.stdout.write(line)
        for key, line in replayed.lost.items():
            self.stdout.write(f"{line}{' (accepted)' if key in accepted else ''}")
        for line in not_published:
            self.stderr.write(f"LOST: {line}. Look for them in an archive of the database, or in an export.")
        for key in sorted(set(accepted) - set(replayed.lost)):
            self.stderr.write(f"{key} is not lost: nothing is to be accepted.")
        if not replayed.lines and set(replayed.lost) <= set(accepted):
            self.stdout.write("The database lacks nothing of what the published log says.")
        elif not apply:
            remedy = (
                "With --apply this is done again." if replayed.lines else "Accept what was seen to: --accept-lost ID."
            )
            self.stdout.write(f"Nothing was changed. {remedy}")
            sys.exit(LACKING)
