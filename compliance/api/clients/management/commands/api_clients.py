"""`manage.py api_clients`: add, list, rotate the secret of, and revoke programs that call the API."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.api.clients import queries
from compliance.api.clients.actions.register import Registered, register
from compliance.api.clients.actions.revoke import revoke
from compliance.api.clients.actions.rotate_secret import rotate_secret
from compliance.api.clients.errors import ClientError
from compliance.api.clients.models import ApiClient
from compliance.api.clients.scopes import Scope
from compliance.ledger.actors import STAFF_ROLES
from compliance.ledger.readiness import refuse_missing_tables

_ONCE = "The secret is not shown again: give it to the client now."


class Command(BaseCommand):
    help = "Programs that call the API with OAuth 2.0 client credentials. See docs/api.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="register one, and show its secret once")
        add.add_argument("name")
        known: dict[str, list[str]] = {"role": [*STAFF_ROLES], "scope": [*Scope]}
        for option, values in known.items():
            add.add_argument(
                f"--{option}",
                action="append",
                required=True,
                dest=f"{option}s",
                metavar=option.upper(),
                help=f"as often as wanted; one of {', '.join(values)}",
            )
        listing = verbs.add_parser("list", help="show the clients, their roles and scopes")
        listing.add_argument("--json", action="store_true", dest="is_json", help="for programs")
        verbs.add_parser("rotate", help="give one a new secret; the old one and its tokens stop working").add_argument(
            "name"
        )
        verbs.add_parser("revoke", help="let one in no more, for good").add_argument("name")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {"add": self._add, "list": self._list, "rotate": self._rotate, "revoke": self._revoke}
        try:
            handlers[verb](options)
        except ClientError as error:
            raise CommandError(str(error)) from error

    def _add(self, options: dict[str, Any]) -> None:
        self._show(register(options["name"], options["roles"], options["scopes"]))

    def _rotate(self, options: dict[str, Any]) -> None:
        self._show(rotate_secret(options["name"]))

    def _show(self, registered: Registered) -> None:
        self.stdout.write(f"client id      {registered.client_id}\nclient secret  {registered.secret}\n{_ONCE}")

    def _revoke(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"revoked {revoke(options['name']).name}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_described(client) for client in queries.clients()]
        if options["is_json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = "revoked" if row["client_id"] is None else row["client_id"]
            self.stdout.write(
                f"{row['name']}  {state}\n  roles: {', '.join(row['roles'])}; scopes: {', '.join(row['scopes'])}\n"
                f"  secret of {row['secret_at']}"
            )
        if not rows:
            self.stdout.write(
                "There is no client. Register one with `manage.py api_clients add NAME --role … --scope …`."
            )


def _described(client: ApiClient) -> dict[str, Any]:
    return {
        "name": client.name,
        "client_id": client.application.client_id if client.application else None,
        "roles": sorted(group.name for group in client.user.groups.all()),
        "scopes": client.scopes,
        "secret_at": client.secret_at.isoformat(),
    }
