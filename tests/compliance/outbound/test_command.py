"""`manage.py webhooks`, as an operator uses it."""

import io
import json
import re
import uuid

import pytest
from django.core.management import CommandError, call_command

from compliance.outbound.models import Delivery, DeliveryStatus, Webhook, WebhookSecret
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver

pytestmark = pytest.mark.django_db
REFUSED = {
    "an address inside": ["create", "crm", "https://10.0.0.1/"],
    "an unknown type": ["create", "crm", "https://receiver.example/", "--event", "request.eaten"],
    "no webhook of this name": ["rotate", "crm"],
    "no webhook of this id": ["disable", str(uuid.uuid4())],
    "no delivery": ["redeliver", str(uuid.uuid4())],
    "a cursor that is none": ["deliveries", "--older-than", "x"],
    "a log of nobody": ["deliveries", "--webhook", "crm"],
}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("webhooks", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_in_a_sentence(name: str) -> None:
    with pytest.raises(CommandError, match=r"^(\w+: e|E|T|Give).*\."):
        run(*REFUSED[name])


def test_nothing_there_is_said() -> None:
    assert "There is no webhook" in run("list")
    assert run("deliveries") == ""


def test_a_webhook_is_made_shown_changed_and_disabled() -> None:
    said = run("create", "crm", "https://receiver.example/hook", "--event", "request.completed")
    assert re.search(r"^whsec_\S{44}$", said, re.MULTILINE) and "not shown again" in said
    assert Webhook.objects.get().event_types == ["request.completed"]
    listed = run("list")
    assert "crm" in listed and "active" in listed and "whsec_" not in listed
    assert "whsec_" in run("rotate", "crm")
    assert WebhookSecret.objects.count() == 2
    assert run("disable", str(Webhook.objects.get().pk)) == "disabled crm\n"
    (row,) = json.loads(run("list", "--json"))
    assert row["is_active"] is False


def test_a_webhook_is_tried_out_and_its_log_is_read(receiver: Receiver) -> None:
    receiver.statuses = [410, 204]
    webhook = hooks.hook(receiver.url).webhook
    said = run("test", "crm")
    (delivery,) = Delivery.objects.all()
    assert str(delivery.pk) in said
    assert "not tried yet" in run("deliveries")
    hooks.try_now(delivery)
    assert "gave_up" in run("deliveries", "--webhook", "crm") and "the last: 410" in run("deliveries")
    assert str(delivery.pk) in run("redeliver", str(delivery.pk))
    hooks.try_now(delivery)
    (row,) = json.loads(run("deliveries", "--json", "--webhook", str(webhook.pk)))["deliveries"]
    assert (row["status"], row["event_type"]) == (DeliveryStatus.DELIVERED, "webhook.test")
    assert [attempt["result"] for attempt in row["attempts"]] == [410, 204]
    assert run("deliveries", "--status", "pending") == ""


def test_a_long_log_ends_with_the_way_to_its_next_page(receiver: Receiver) -> None:
    hooks.hook(receiver.url)
    for _ in range(52):
        hooks.happens()
    said = run("deliveries")
    cursor = said.strip().rpartition("--older-than ")[2]
    assert said.count("not tried yet") == 50
    assert run("deliveries", "--older-than", cursor).count("not tried yet") == 2
