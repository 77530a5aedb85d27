"""`manage.py shred REQUEST …`: destroys what opens the commitments of closed requests."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.actors import SYSTEM
from compliance.ledger.readiness import refuse_missing_tables
from compliance.requests.actions.shred import shred
from compliance.requests.errors import RequestError


class Command(BaseCommand):
    help = (
        "Destroy identifier, pseudonym and commitment key of closed requests. It cannot be undone: afterwards nobody "
        "can tell whose request it was, while every proof still verifies."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("requests", nargs="+", type=uuid.UUID, metavar="REQUEST", help="the id of a closed request")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, requests: list[uuid.UUID], yes: bool, **options: Any) -> None:
        refuse_missing_tables()
        if not yes and not _is_meant(len(requests)):
            raise CommandError("Nothing was shredded.")
        for request_id in requests:
            try:
                shred(request_id, actor=SYSTEM)
            except RequestError as error:
                raise CommandError(f"{request_id}: {error}") from error
            self.stdout.write(f"{request_id}: shredded")


def _is_meant(n_requests: int) -> bool:
    try:
        return input(f"Shred {n_requests} requests for ever? Type yes: ") == "yes"
    except EOFError as error:
        raise CommandError("Nothing was shredded: there is nobody to ask. Without a terminal give --yes.") from error
