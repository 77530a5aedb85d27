"""Managing webhooks: who may, what is refused, and what the log says of it."""

import logging
import uuid
from collections.abc import Callable

import pytest

from compliance.ledger.actors import SYSTEM, Actor, Role
from compliance.outbound.actions.create_webhook import create_webhook
from compliance.outbound.actions.deactivate import deactivate
from compliance.outbound.actions.redeliver import redeliver
from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.actions.send_test import send_test
from compliance.outbound.errors import (
    AddressRefusedError,
    ForbiddenActorError,
    InvalidWebhookError,
    NotFoundError,
    StateError,
)
from compliance.outbound.models import DeliveryStatus, Webhook, WebhookSecret
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver

pytestmark = pytest.mark.django_db
URL = "https://receiver.example/hook"
NOBODY = uuid.UUID("00000000-0000-4000-8000-00000000beef")
VERBS: dict[str, Callable[[Actor], object]] = {
    "create": lambda actor: create_webhook("crm", URL, ["*"], actor=actor),
    "rotate": lambda actor: rotate_secret(NOBODY, actor=actor),
    "deactivate": lambda actor: deactivate(NOBODY, actor=actor),
    "redeliver": lambda actor: redeliver(NOBODY, actor=actor),
    "try out": lambda actor: send_test(NOBODY, actor=actor),
}
REFUSED: dict[str, tuple[str, str, list[str], type[Exception]]] = {
    "no name": ("", URL, ["*"], InvalidWebhookError),
    "a name of two lines": ("a\nb", URL, ["*"], InvalidWebhookError),
    "a name that is too long": ("a" * 81, URL, ["*"], InvalidWebhookError),
    "no types": ("crm", URL, [], InvalidWebhookError),
    "an unknown type": ("crm", URL, ["request.completed", "request.eaten"], InvalidWebhookError),
    "an address inside": ("crm", "https://10.0.0.1/", ["*"], AddressRefusedError),
    "no TLS": ("crm", "http://receiver.example/", ["*"], AddressRefusedError),
}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUBJECT, Role.WORKER])
@pytest.mark.parametrize("verb", VERBS)
def test_it_takes_a_role_that_manages(verb: str, role: Role) -> None:
    with pytest.raises(ForbiddenActorError, match=role.value):
        VERBS[verb](Actor(role=role, id=NOBODY))
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "create"])
def test_what_is_not_there_is_not_found(verb: str) -> None:
    with pytest.raises(NotFoundError, match=str(NOBODY)):
        VERBS[verb](SYSTEM)


@pytest.mark.parametrize("name", REFUSED)
def test_a_webhook_with_another_value_is_refused(name: str) -> None:
    given, url, wanted, kind = REFUSED[name]
    with pytest.raises(kind):
        create_webhook(given, url, wanted, actor=hooks.BOB)
    assert not Webhook.objects.exists() and not WebhookSecret.objects.exists()


def test_a_name_is_given_once() -> None:
    hooks.hook(URL)
    with pytest.raises(InvalidWebhookError, match="taken"):
        hooks.hook(URL)
    assert Webhook.objects.count() == 1


def test_a_webhook_is_deactivated_for_good() -> None:
    webhook_id = hooks.hook(URL).webhook.pk
    deactivate(webhook_id, actor=hooks.BOB)
    for verb in (rotate_secret, send_test, deactivate):
        with pytest.raises(StateError, match="not active"):
            verb(webhook_id, actor=hooks.BOB)
    assert not WebhookSecret.objects.exists()


def test_a_pending_delivery_is_not_sent_anew(receiver: Receiver) -> None:
    delivery = hooks.owed(receiver.url)
    with pytest.raises(StateError, match="pending"):
        redeliver(delivery.pk, actor=hooks.BOB)


def test_deactivating_ends_the_alarms_of_this_webhook_alone(receiver: Receiver) -> None:
    receiver.statuses = [410]
    one = hooks.hook(receiver.url, name="one")
    hooks.hook(receiver.url, name="two")
    deliveries = [hooks.try_now(delivery) for delivery in hooks.happens()]
    assert all(delivery.alarmed_at for delivery in deliveries)
    deactivate(one.webhook.pk, actor=hooks.BOB)
    for delivery in deliveries:
        delivery.refresh_from_db()
    assert sum(delivery.alarmed_at is not None for delivery in deliveries) == 1


def test_a_secret_is_new_each_time_and_long() -> None:
    created = hooks.hook(URL)
    secrets = {created.secret, rotate_secret(created.webhook.pk, actor=hooks.BOB)}
    assert len(secrets) == 2
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in secrets)


def test_a_webhook_that_is_tried_out_gets_a_signed_message_about_nothing(receiver: Receiver) -> None:
    created = hooks.hook(receiver.url, hooks.COMPLETED)
    delivery = hooks.try_now(send_test(created.webhook.pk, actor=hooks.BOB))
    (received,) = receiver.received
    assert delivery.status == DeliveryStatus.DELIVERED
    assert b'"data":{}' in received.body and b'"type":"webhook.test"' in received.body


def test_the_log_says_who_did_it_and_not_where_it_goes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="compliance.outbound")
    created = hooks.hook(URL)
    rotated = rotate_secret(created.webhook.pk, actor=hooks.BOB)
    send_test(created.webhook.pk, actor=hooks.BOB)
    deactivate(created.webhook.pk, actor=hooks.BOB)
    assert len(caplog.records) == 4
    assert all(f"operator {hooks.BOB.id}" in record.getMessage() for record in caplog.records)
    assert URL not in caplog.text and created.secret not in caplog.text and rotated not in caplog.text
