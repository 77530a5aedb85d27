"""Each change of the register of webhooks is an entry of whoever made it, without secrets and without paths."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from django.db import transaction

from compliance.evidence import leaf
from compliance.ledger.models import PendingEntry
from compliance.outbound.actions.create_webhook import create_webhook
from compliance.outbound.actions.deactivate import deactivate
from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.errors import OutboundError
from compliance.outbound.models import Webhook
from tests.compliance.outbound import hooks

pytestmark = pytest.mark.django_db
SECRET_PATH = "zyx-path-4711"
URL = f"https://receiver.example/{SECRET_PATH}"


def entries() -> list[leaf.Event]:
    rows = PendingEntry.objects.filter(event_type__startswith="webhook.").order_by("pk")
    return [leaf.parse(bytes(row.leaf)) for row in rows]


REFUSED: dict[str, Callable[[Webhook], object]] = {
    "a name that is taken": lambda webhook: create_webhook(webhook.name, URL, ["*"], actor=hooks.BOB),
    "an address inside": lambda webhook: create_webhook("other", "https://10.0.0.1/", ["*"], actor=hooks.BOB),
    "rotated after the end": lambda webhook: rotate_secret(webhook.pk, actor=hooks.BOB),
    "a second end": lambda webhook: deactivate(webhook.pk, actor=hooks.BOB),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_no_entry(case: str) -> None:
    webhook = hooks.hook(URL).webhook
    deactivate(webhook.pk, actor=hooks.BOB)
    before = entries()
    with pytest.raises(OutboundError):
        REFUSED[case](webhook)
    assert entries() == before


def test_a_change_that_fails_later_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        hooks.hook(URL)
        raise RuntimeError
    assert entries() == [] and not Webhook.objects.exists()


def test_making_rotating_and_switching_off_are_one_entry_each() -> None:
    webhook = hooks.hook(URL, "request.completed").webhook
    rotate_secret(webhook.pk, actor=hooks.BOB)
    deactivate(webhook.pk, actor=hooks.BOB)
    made, rotated, disabled = entries()
    assert [each.type for each in entries()] == ["webhook.created", "webhook.secret_rotated", "webhook.disabled"]
    assert {(each.request, each.actor_id) for each in entries()} == {(None, str(hooks.BOB.id))}
    public = {"name": "crm", "host": "receiver.example", "event_types": ["request.completed"]}
    written = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    assert made.facts == {"webhook": str(webhook.pk), "details_sha256": sha256(written).hexdigest()}
    assert rotated.facts == disabled.facts == {"webhook": str(webhook.pk)}


def test_the_digest_is_the_same_whatever_the_path_and_the_secret_are() -> None:
    first, second = hooks.hook(URL).webhook, hooks.hook("https://receiver.example/other", name="second").webhook
    Webhook.objects.filter(pk=first.pk).delete()
    hooks.hook("https://receiver.example/third")
    one, other, third = entries()
    assert one.facts["details_sha256"] == third.facts["details_sha256"] != other.facts["details_sha256"]
    assert second.pk != first.pk
