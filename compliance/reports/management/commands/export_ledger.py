"""`manage.py export_ledger FOLDER`: whole ledgers for an auditor, with the requests that are named disclosed."""

import signal
import uuid
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.errors import EvidenceError
from compliance.evidence.tiles import TileError
from compliance.evidence.trust import fingerprint
from compliance.ledger.log_files import LogFilesError
from compliance.ledger.log_store import StoreError
from compliance.ledger.notes import UnpublishedKeyError
from compliance.ledger.readiness import refuse_missing_tables
from compliance.reports import ledger_export
from compliance.requests.errors import RequestError
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest

_REFUSALS = (
    RequestError,
    EvidenceError,
    ledger_export.ExportRefusedError,
    LogFilesError,
    StoreError,
    TileError,
    UnpublishedKeyError,
    VaultError,
    OSError,
)


def request_id(text: str) -> uuid.UUID:
    """A request's id on the command line."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ArgumentTypeError("expected the id of a request, a UUID") from error


class Command(BaseCommand):
    help = (
        "Export every log as files that anybody can verify, with evidence and openings of the requests you name. "
        "Verify it with `python -m compliance.evidence verify FOLDER --trust trust.json`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the export is to be; it must not exist yet")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument(
            "--request", type=request_id, action="append", default=[], help="a request to disclose; may be repeated"
        )
        chosen.add_argument("--all-closed", action="store_true", help="disclose every request that is closed")

    def handle(self, *args: Any, folder: Path, request: list[uuid.UUID], all_closed: bool, **options: Any) -> None:
        refuse_missing_tables()
        try:
            with _ending_orderly():
                if all_closed:
                    request = self._closed()
                made = ledger_export.export(folder.absolute(), request)
        except _REFUSALS as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{made}: {len(request)} requests disclosed")
        self.stdout.write(f"trust file {fingerprint((made / 'trust.json').read_bytes())}")

    def _closed(self) -> list[uuid.UUID]:
        found, waiting = ledger_export.ready(
            list(DeletionRequest.objects.exclude(closed_at=None).values_list("pk", flat=True))
        )
        for request_id, reason in waiting.items():
            self.stderr.write(f"{request_id} is left out. {reason}")
        return found


@contextmanager
def _ending_orderly() -> Iterator[None]:
    """SIGTERM ends the export as an exception does: the unfinished folder is taken away."""

    def end(signal_number: int, frame: object) -> None:
        raise SystemExit(128 + signal_number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
