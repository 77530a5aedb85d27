"""`manage.py webhooks`: create, list, rotate and disable webhooks, try one out, see deliveries, send one again."""

import json
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.actors import SYSTEM
from compliance.ledger.readiness import refuse_missing_tables
from compliance.outbound import event_types, queries
from compliance.outbound.actions.create_webhook import create_webhook
from compliance.outbound.actions.deactivate import deactivate
from compliance.outbound.actions.redeliver import redeliver
from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.actions.send_test import send_test
from compliance.outbound.errors import OutboundError
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus, Webhook

_ONCE = "The secret is not shown again: give it to the receiver now."


class Command(BaseCommand):
    help = "Webhooks tell other systems when requests change state. They carry ids and states, nothing about a person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="show the webhooks")
        create = verbs.add_parser("create", help="make one, and show its secret once")
        create.add_argument("name")
        create.add_argument("url", metavar="URL")
        create.add_argument(
            "--event",
            action="append",
            metavar="TYPE",
            help=f"what it is told of, as often as wanted; default: all. One of {', '.join(event_types.EVENT_TYPES)}",
        )
        for verb, text in {
            "rotate": "give one a new secret; the old one signs beside it for a day",
            "test": "send one a message of the type webhook.test",
            "disable": "tell one nothing more, for good",
        }.items():
            verbs.add_parser(verb, help=text).add_argument("name", help="its name or id")
        log = verbs.add_parser("deliveries", help="show the delivery log, newest first")
        log.add_argument("--webhook", metavar="NAME", help="of this one alone, by name or id")
        log.add_argument("--status", choices=DeliveryStatus.values)
        log.add_argument("--older-than", metavar="CURSOR", help="the page after; each page ends with its cursor")
        again = verbs.add_parser("redeliver", help="send a delivery that ended again, under the same id")
        again.add_argument("delivery", type=uuid.UUID)
        for reading in (listing, log):
            reading.add_argument("--json", action="store_true", dest="is_json", help="for programs")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {
            "list": self._list,
            "create": self._create,
            "rotate": self._rotate,
            "test": self._test,
            "disable": self._disable,
            "deliveries": self._deliveries,
            "redeliver": self._redeliver,
        }
        try:
            handlers[verb](options)
        except OutboundError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_described(row) for row in queries.webhooks()]
        if options["is_json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = "active" if row["is_active"] else "disabled"
            self.stdout.write(
                f"{row['name']}  {row['id']}  {state}\n  {row['url']}\n  {', '.join(row['event_types'])}\n"
                f"  {row['n_pending']} pending, {row['n_alarms']} given up"
            )
        if not rows:
            self.stdout.write("There is no webhook. Make one with `manage.py webhooks create NAME URL`.")

    def _create(self, options: dict[str, Any]) -> None:
        wanted = options["event"] or [event_types.EVERY]
        created = create_webhook(options["name"], options["url"], wanted, actor=SYSTEM)
        self.stdout.write(f"created {created.webhook.pk}\n{created.secret}\n{_ONCE}")

    def _rotate(self, options: dict[str, Any]) -> None:
        secret = rotate_secret(_named(options["name"]).pk, actor=SYSTEM)
        self.stdout.write(f"{secret}\n{_ONCE} The old one is valid for one more day.")

    def _test(self, options: dict[str, Any]) -> None:
        delivery = send_test(_named(options["name"]).pk, actor=SYSTEM)
        self.stdout.write(
            f"delivery {delivery.pk} is on its way. `manage.py webhooks deliveries` shows what came of it."
        )

    def _disable(self, options: dict[str, Any]) -> None:
        webhook = deactivate(_named(options["name"]).pk, actor=SYSTEM)
        self.stdout.write(f"disabled {webhook.name}")

    def _redeliver(self, options: dict[str, Any]) -> None:
        delivery = redeliver(options["delivery"], actor=SYSTEM)
        self.stdout.write(f"delivery {delivery.pk} is on its way again")

    def _deliveries(self, options: dict[str, Any]) -> None:
        page = queries.deliveries(
            webhook_id=_named(options["webhook"]).pk if options["webhook"] else None,
            status=DeliveryStatus(options["status"]) if options["status"] else None,
            older_than=options["older_than"],
        )
        told = {key: message.event_type for key, message in queries.messages_of(page.rows).items()}
        rows = [_logged(row, told.get(row.subject_id)) for row in page.rows]
        if options["is_json"]:
            self.stdout.write(json.dumps({"deliveries": rows, "older_than": page.older_than}, indent=2))
            return
        for row in rows:
            last = row["attempts"][-1]["result"] if row["attempts"] else "not tried yet"
            self.stdout.write(f"{row['created_at']}  {row['id']}  {row['event_type'] or row['kind']}  {row['status']}")
            self.stdout.write(f"  tries: {row['n_tries']}, the last: {last}")
        if page.older_than:
            self.stdout.write(f"More: --older-than {page.older_than}")


def _named(text: str) -> Webhook:
    """The webhook of this name or id; raises CommandError."""
    try:
        found = Webhook.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        found = None
    found = found or Webhook.objects.filter(name=text).first()
    if found is None:
        raise CommandError(f"There is no webhook {text!r}. `manage.py webhooks list` shows those there are.")
    return found


def _described(row: queries.Overview) -> dict[str, Any]:
    return {
        "id": str(row.webhook.pk),
        "name": row.webhook.name,
        "url": row.webhook.url,
        "event_types": row.webhook.event_types,
        "is_active": row.webhook.is_active,
        "n_pending": row.n_pending,
        "n_alarms": row.n_alarms,
    }


def _logged(delivery: Delivery, event_type: str | None) -> dict[str, Any]:
    return {
        "id": str(delivery.pk),
        "kind": delivery.kind,
        "event_type": event_type,
        "status": delivery.status,
        "n_tries": delivery.n_tries,
        "created_at": delivery.created_at.isoformat(),
        "next_try_at": delivery.next_try_at and delivery.next_try_at.isoformat(),
        "attempts": [_tried(attempt) for attempt in delivery.attempts.all()],
    }


def _tried(attempt: DeliveryAttempt) -> dict[str, Any]:
    result = attempt.failure or attempt.status_code
    return {"at": attempt.at.isoformat(), "result": result, "duration_ms": attempt.duration_ms}
