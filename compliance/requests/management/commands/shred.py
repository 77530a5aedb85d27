"""`manage.py shred REQUEST …`: destroys what opens the commitments of closed requests, or shows that it was done."""

import sys
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.evidence.errors import EvidenceError
from compliance.ledger.actors import SYSTEM
from compliance.ledger.notes import UnpublishedKeyError
from compliance.ledger.readiness import refuse_missing_tables
from compliance.requests.actions.shred import shred
from compliance.requests.errors import RequestError
from compliance.requests.shredding_proof import ShreddingProof, inspect
from compliance.vault.errors import VaultError


class Command(BaseCommand):
    help = (
        "Destroy identifier, pseudonym, notes and commitment key of closed requests. It cannot be undone: afterwards "
        "nobody can tell whose request it was, while every proof still verifies."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("requests", nargs="+", type=uuid.UUID, metavar="REQUEST", help="the id of a closed request")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="change nothing: show that the requests were shredded, with the proof from the ledger. Exit code 0 if "
            "all were, 1 otherwise",
        )

    def handle(self, *args: Any, requests: list[uuid.UUID], yes: bool, verify: bool, **options: Any) -> None:
        refuse_missing_tables()
        if verify:
            self._verify(requests)
            return
        if not yes and not _is_meant(len(requests)):
            raise CommandError("Nothing was shredded.")
        for request_id in requests:
            try:
                shred(request_id, actor=SYSTEM)
            except RequestError as error:
                raise CommandError(f"{request_id}: {error}") from error
            self.stdout.write(f"{request_id}: shredded")

    def _verify(self, requests: list[uuid.UUID]) -> None:
        n_missing = 0
        for request_id in requests:
            try:
                found = inspect(request_id)
            except (RequestError, EvidenceError, UnpublishedKeyError, VaultError) as error:
                raise CommandError(f"{request_id}: {error}") from error
            n_missing += not found.is_shredded
            self.stdout.write(f"{request_id}: {'shredded' if found.is_shredded else 'NOT PROVEN TO BE SHREDDED'}")
            for line in (*_rows(found), *_entry(found), *_copies(found)):
                self.stdout.write(f"  {line}")
            if found.entry is not None:
                self.stdout.write(found.entry.written.decode())
        if n_missing:
            sys.exit(1)


def _rows(found: ShreddingProof) -> list[str]:
    at = "" if found.shredded_at is None else f" since {found.shredded_at.isoformat(timespec='seconds')}"
    return [
        f"vault row: {'blank' if found.is_blank else 'NOT blank'}{at}",
        f"sealed notes: {found.n_notes}; identity codes: {found.n_challenges}",
    ]


def _entry(found: ShreddingProof) -> list[str]:
    if found.entry is None:
        return ["ledger: no entry under a signed checkpoint (yet, if it was shredded a moment ago)"]
    entry = found.entry
    return [
        f"ledger: entry {entry.index} of {entry.log}, included in its checkpoint of {entry.size} entries; proof below"
    ]


def _copies(found: ShreddingProof) -> list[str]:
    """What older copies of the row, in backups or on the database's disk, still open under."""
    last = found.last_key_id
    if last and last not in found.held_key_ids:
        lines = [f"older copies: the key {last}, which wrapped the row last, is not held here any more"]
    else:
        lines = [f"older copies: still open under the key {last or 'of VAULT_MASTER_KEY'}, until it is retired"]
    others = [key_id for key_id in found.held_key_ids if key_id != last]
    if others:
        lines.append(f"copies from before a rewrap may open under other keys held here: {', '.join(others)}")
    return lines


def _is_meant(n_requests: int) -> bool:
    try:
        return input(f"Shred {n_requests} requests for ever? Type yes: ") == "yes"
    except EOFError as error:
        raise CommandError("Nothing was shredded: there is nobody to ask. Without a terminal give --yes.") from error
