"""`manage.py controllers`: add, list, rotate the token of, and deactivate organisations that use OpenDSR."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.controllers import queries
from compliance.controllers.actions.deactivate_controller import deactivate_controller
from compliance.controllers.actions.register_controller import register_controller
from compliance.controllers.actions.rotate_token import rotate_token
from compliance.controllers.errors import ControllerError
from compliance.ledger.actors import SYSTEM
from compliance.ledger.readiness import refuse_missing_tables

_ONCE = "The token is not shown again: give it to the controller now."


class Command(BaseCommand):
    help = "Controllers pass on deletion requests of their data subjects through OpenDSR. See docs/opendsr.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="register one, and show its token once")
        add.add_argument("name")
        add.add_argument(
            "--callback-host",
            action="append",
            default=[],
            metavar="HOST",
            help="a host on which it may be called back, as often as wanted; default: none",
        )
        listing = verbs.add_parser("list", help="show the controllers, their requests by status, and failed callbacks")
        listing.add_argument("--json", action="store_true", dest="is_json", help="for programs")
        for verb, text in {
            "rotate": "give one a new token; the old one stops working at once",
            "deactivate": "take nothing more from one, and call it no more, for good",
        }.items():
            verbs.add_parser(verb, help=text).add_argument("name", help="its name or id")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {"add": self._add, "list": self._list, "rotate": self._rotate, "deactivate": self._deactivate}
        try:
            handlers[verb](options)
        except ControllerError as error:
            raise CommandError(str(error)) from error

    def _add(self, options: dict[str, Any]) -> None:
        registered = register_controller(options["name"], options["callback_host"], actor=SYSTEM)
        self.stdout.write(f"registered {registered.controller.pk}\n{registered.token}\n{_ONCE}")

    def _rotate(self, options: dict[str, Any]) -> None:
        token = rotate_token(queries.named(options["name"]).pk, actor=SYSTEM)
        self.stdout.write(f"{token}\n{_ONCE} The old one has stopped working.")

    def _deactivate(self, options: dict[str, Any]) -> None:
        controller = deactivate_controller(queries.named(options["name"]).pk, actor=SYSTEM)
        self.stdout.write(f"deactivated {controller.name}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_described(row) for row in queries.overviews()]
        if options["is_json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = "active" if row["is_active"] else "deactivated"
            counts = ", ".join(f"{n} {status}" for status, n in row["n_by_status"].items())
            self.stdout.write(
                f"{row['name']}  {row['id']}  {state}\n  called back on: {', '.join(row['callback_hosts']) or 'no host'}\n"
                f"  requests: {counts}; callbacks given up: {row['n_alarms']}"
            )
        if not rows:
            self.stdout.write("There is no controller. Register one with `manage.py controllers add NAME`.")


def _described(row: queries.Overview) -> dict[str, Any]:
    return {
        "id": str(row.controller.pk),
        "name": row.controller.name,
        "callback_hosts": row.controller.callback_hosts,
        "is_active": row.controller.is_active,
        "n_by_status": row.n_by_status,
        "n_alarms": row.n_alarms,
    }
