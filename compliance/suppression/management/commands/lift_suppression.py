"""`manage.py lift_suppression --reason REASON`: a person who was erased may be learned from again.

The identifier is read from the standard input and not from the command line, which other accounts of the machine see
and which shells keep.
"""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.actors import SYSTEM
from compliance.ledger.readiness import refuse_missing_tables
from compliance.registry.pseudonyms import IDENTIFIER_KINDS
from compliance.suppression.actions.lift import LiftingReason, lift
from compliance.suppression.errors import SuppressionError

_NEXT = (
    "Lifted, and recorded in the ledger. Run `manage.py export_suppressions` now and throw older exports away: an import "
    "of one would bring the token back."
)


class Command(BaseCommand):
    help = (
        "Let a person who was erased return to training data: they came back by their own will, or the wrong one was "
        "erased. Asks for the identifier, or reads it from the standard input. The ledger gets the reason and no identifier."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, choices=LiftingReason.values)
        parser.add_argument("--kind", default=IDENTIFIER_KINDS[0], choices=IDENTIFIER_KINDS, help="of the identifier")

    def handle(self, *args: Any, reason: str, kind: str, **options: Any) -> None:
        refuse_missing_tables()
        try:
            lift(kind, _identifier(), reason=LiftingReason(reason), actor=SYSTEM)
        except (SuppressionError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_NEXT)


def _identifier() -> str:
    """One line, which a terminal does not show."""
    return getpass.getpass("Identifier (not shown): ") if sys.stdin.isatty() else sys.stdin.readline().strip()
