"""`manage.py rewrap_vault`: wraps every key of the vault under the current master key, beside everything that runs."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet

from compliance.ledger.readiness import refuse_missing_tables
from compliance.outbound import webhook_secrets
from compliance.outbound.models import WebhookSecret
from compliance.requests import identities
from compliance.requests.models import SubjectVault
from compliance.vault import ring
from compliance.vault.errors import VaultError
from compliance.vault.rewrapping import BATCH_ROWS, rewrap, waiting
from compliance.vault.turning import holders

# Every model whose rows hold a wrapped key → what the key of a row is bound to.
_CONTEXTS: Mapping[type[Model], Callable[[Any], bytes]] = {
    SubjectVault: identities.wrapping_context,
    WebhookSecret: webhook_secrets.wrapping_context,
}


class Command(BaseCommand):
    help = (
        "Wrap the keys of all requests and webhooks under the current master key. It can be stopped at any time and started again. "
        "Exit code 0: nothing is left under another key; 1: some rows open under no key that is configured here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH_ROWS, metavar="ROWS", help=f"rows at a time (default {BATCH_ROWS})"
        )

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        refuse_missing_tables()
        if batch < 1:
            raise CommandError(f"--batch must be at least 1, found {batch}.")
        n_done = 0
        try:
            n_all = _n_waiting()
            self.stdout.write(f"{n_all} rows to wrap under the key {ring.configured().current_id()}")
            while True:
                n_round, unopened = self._round(batch, n_done, n_all)
                n_done += n_round
                # Rows that were stored under the old key while this round ran are found in the next one.
                if not n_round:
                    break
            n_left = _n_waiting()
        except VaultError as error:
            raise CommandError(f"{error} Rows that were done stay done: run the command again.") from error
        if n_left:
            for pk in unopened:
                self.stderr.write(f"vault row {pk}: opens under no key that is configured here")
            self.stderr.write(f"{n_left} rows are left under other keys")
            sys.exit(1)
        self.stdout.write("Nothing is left under another key. Old keys can go: `manage.py vault_keys retire KEY`.")

    def _round(self, n_batch: int, n_before: int, n_all: int) -> tuple[int, list[Any]]:
        """Once through the table: how many rows were changed, and those that do not open."""
        n_round = 0
        unopened: list[Any] = []
        for model, context_of in _CONTEXTS.items():
            for step in rewrap(QuerySet(model), context_of, n_batch):
                n_round += step.n_rewrapped
                unopened += step.unopened
                n_done = n_before + n_round
                self.stdout.write(f"{n_done} of {max(n_all, n_done)} done")
        return n_round, unopened


def _n_waiting() -> int:
    unknown = set(holders()) - set(_CONTEXTS)
    if unknown:
        raise CommandError(
            f"Nothing says what the keys of {min(map(str, unknown))} are bound to. Add it to this command."
        )
    current = ring.configured().current_id()
    return sum(waiting(QuerySet(model), current).count() for model in _CONTEXTS)
