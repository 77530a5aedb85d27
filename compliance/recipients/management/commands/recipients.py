"""`manage.py recipients`: add, list, change and retire recipients, and see whom somebody has to tell by hand."""

import dataclasses
import json
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.actors import SYSTEM
from compliance.ledger.readiness import refuse_missing_tables
from compliance.recipients import pending
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.owe_awaited import owe_awaited
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.retire_recipient import retire_recipient
from compliance.recipients.details import Details, details_of
from compliance.recipients.models import IdentifierForm, Recipient
from compliance.requests.errors import RequestError

_OPTIONS = ("models", "url", "contact", "public_key", "identifier_form", "is_public")


class Command(BaseCommand):
    help = "Recipients are told when models forget a person (Art. 19, 17(2) GDPR). See docs/recipients.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="register one")
        add.add_argument("name")
        _add_details(add, is_new=True)
        change = verbs.add_parser("change", help="change what is known of one; what is left out stays")
        change.add_argument("name", help="its name or id")
        _add_details(change, is_new=False)
        listing = verbs.add_parser("list", help="show the recipients")
        listing.add_argument("--json", action="store_true", dest="is_json", help="for programs")
        retire = verbs.add_parser("retire", help="owe one nothing new, for good; what it is owed stays owed")
        retire.add_argument("name", help="its name or id")
        verbs.add_parser("owe", help="owe notices of requests that wait for sign-off, where one is missing")
        verbs.add_parser("undecided", help="show the notices that only staff can bring further")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {
            "add": self._add,
            "change": self._change,
            "list": self._list,
            "retire": self._retire,
            "owe": self._owe,
            "undecided": self._undecided,
        }
        try:
            handlers[verb](options)
        except RequestError as error:
            raise CommandError(str(error)) from error

    def _add(self, options: dict[str, Any]) -> None:
        recipient = register_recipient(options["name"], Details(**_given(options)), actor=SYSTEM)
        self.stdout.write(f"registered {recipient.pk}")

    def _change(self, options: dict[str, Any]) -> None:
        recipient = _named(options["name"])
        known = dataclasses.replace(details_of(recipient), **_given(options))
        change_recipient(recipient.pk, known, actor=SYSTEM)
        self.stdout.write(f"changed {recipient.name}")

    def _retire(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"retired {retire_recipient(_named(options['name']).pk, actor=SYSTEM).name}")

    def _owe(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{len(owe_awaited(actor=SYSTEM))} notices are owed that were not before")

    def _undecided(self, options: dict[str, Any]) -> None:
        for notice in pending.undecided():
            why = "delivery was given up" if notice.gave_up_at else "told by other means"
            self.stdout.write(f"{notice.pk}  request {notice.request_id}  {notice.recipient.name}: {why}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_described(row) for row in Recipient.objects.prefetch_related("models")]
        if options["is_json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = "active" if row["is_active"] else "retired"
            self.stdout.write(f"{row['name']}  {row['id']}  {state}\n  {row['url'] or 'told by other means'}")
            self.stdout.write(f"  {', '.join(row['models'])}; identifiers: {row['identifier_form']}")
        if not rows:
            self.stdout.write("There is no recipient. Register one with `manage.py recipients add NAME --model MODEL`.")


def _add_details(parser: ArgumentParser, *, is_new: bool) -> None:
    parser.add_argument(
        "--model", action="append", dest="models", required=is_new, help="what it was given, as often as wanted"
    )
    parser.add_argument("--url", help="where notices are sent (https); without one it is told by other means")
    parser.add_argument("--contact", help="whom to ask there")
    parser.add_argument("--public-key", type=Path, metavar="FILE", help="PEM (P-256, Ed25519): answers must be signed")
    parser.add_argument("--identifiers", dest="identifier_form", choices=IdentifierForm.values)
    parser.add_argument(
        "--public", action="store_true", default=None, dest="is_public", help="it processes a published model (17(2))"
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The details that were given; raises CommandError for a file that cannot be read."""
    found = {name: options[name] for name in _OPTIONS if options[name] is not None}
    if "models" in found:
        found["models"] = tuple(found["models"])
    if "public_key" in found:
        try:
            found["public_key"] = found["public_key"].read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError("--public-key: expected a file in PEM, found none that can be read.") from error
    return found


def _named(text: str) -> Recipient:
    """The recipient of this name or id; raises CommandError."""
    found = Recipient.objects.filter(name=text).first()
    if found is None:
        try:
            found = Recipient.objects.filter(pk=uuid.UUID(text)).first()
        except ValueError:
            found = None
    if found is None:
        raise CommandError(f"There is no recipient {text!r}. `manage.py recipients list` shows those there are.")
    return found


def _described(row: Recipient) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "url": row.url,
        "contact": row.contact,
        "models": [model.name for model in row.models.all()],
        "identifier_form": row.identifier_form,
        "is_public": row.is_public,
        "has_key": bool(row.public_key),
        "is_active": row.is_active,
    }
