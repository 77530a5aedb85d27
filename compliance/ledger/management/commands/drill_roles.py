"""`manage.py drill_roles`: tries what each database role may do, and compares with role_matrix.py."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from compliance.ledger import drill
from compliance.ledger.drill import DrillError


class Command(BaseCommand):
    help = "Try as each database role every verb on every table, and roll it back. Exit code 1 on any difference."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trials = drill.hold(connection)
        except DrillError as error:
            raise CommandError(str(error)) from error
        for line in drill.lines(trials):
            self.stdout.write(line)
        wrong = [trial for trial in trials if not trial.is_as_expected]
        if wrong:
            said = "\n".join(
                f"{trial.role}: {trial.verb} on {trial.target} is {trial.found}, expected {trial.expected}"
                for trial in wrong
            )
            raise CommandError(
                f"{len(wrong)} of {len(trials)} attempts are not as expected. `manage.py migrate` grants anew what the "
                f"matrix says; memberships and parameters it leaves to you.\n{said}"
            )
        self.stdout.write(f"All {len(trials)} attempts ended as expected. Nothing was changed.")
