"""What a webhook is told, signed as Standard Webhooks says, and what it is never told."""

import base64
import json
import logging
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from compliance.outbound import notifying
from compliance.outbound.actions.deactivate import deactivate
from compliance.outbound.actions.redeliver import redeliver
from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.errors import InvalidWebhookError
from compliance.outbound.event_types import EVENT_TYPES, event_type_of
from compliance.outbound.models import Delivery, DeliveryStatus, Failure, WebhookMessage, WebhookSecret
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver, last_result
from tests.workers import recorder

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("event_type", ["", "request", "request.unknown", "completed", "webhook.test", "*"])
def test_what_is_no_state_of_a_request_is_not_told(event_type: str) -> None:
    with pytest.raises(InvalidWebhookError):
        hooks.happens(event_type)


def test_who_did_not_ask_for_it_or_is_not_active_is_not_told(receiver: Receiver) -> None:
    hooks.hook(receiver.url, "request.approved", name="other")
    inactive = hooks.hook(receiver.url, "*", name="inactive")
    deactivate(inactive.webhook.pk, actor=hooks.BOB)
    assert hooks.happens() == []


def test_without_webhooks_a_change_costs_one_query() -> None:
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        transaction.atomic(),
    ):
        notifying.notify(hooks.COMPLETED, hooks.REQUEST_ID, hooks.WHEN)
    assert len([query for query in queries if "SELECT" in query["sql"]]) == 1


def test_what_waits_when_a_webhook_is_deactivated_ends_unsent_and_without_alarm(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    created = hooks.hook(receiver.url)
    (delivery,) = hooks.happens()
    deactivate(created.webhook.pk, actor=hooks.BOB)
    hooks.try_now(delivery)
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.GAVE_UP, Failure.NOT_WANTED)
    assert delivery.alarmed_at is None and "ALARM" not in caplog.text
    assert receiver.received == []


def test_every_state_has_a_type() -> None:
    assert {event_type_of(state) for state in RequestState} == set(EVENT_TYPES)


def test_each_webhook_gets_a_delivery_of_its_own_once_it_is_committed(
    receiver: Receiver, settings: Settings, django_capture_on_commit_callbacks: object
) -> None:
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    hooks.hook(receiver.url, name="one")
    hooks.hook(receiver.url, hooks.COMPLETED, "request.refused", name="two")
    recorder.SENT.clear()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        deliveries = hooks.happens()
        assert recorder.SENT == []
    assert [each.subject_id for each in deliveries] == [
        message.pk for message in WebhookMessage.objects.order_by("webhook_id")
    ]
    assert [("deliver", delivery.pk) for delivery in deliveries] == recorder.SENT


def test_a_webhook_is_told_the_request_its_state_and_its_date_and_nothing_else(receiver: Receiver) -> None:
    request = cast.ask().request
    hooks.hook(receiver.url)
    (delivery,) = notifying.notify("request.identity_pending", request.pk, hooks.WHEN)
    hooks.try_now(delivery)
    (received,) = receiver.received
    request.refresh_from_db()
    assert json.loads(received.body) == {
        "id": str(delivery.subject_id),
        "type": "request.identity_pending",
        "occurred_at": "2026-05-01T12:30:45Z",
        "data": {
            "request": str(request.pk),
            "state": "identity_pending",
            "due_date": request.due_date.isoformat(),
        },
    }
    assert received.headers["webhook-id"] == str(delivery.subject_id)
    assert received.headers["content-type"] == "application/json"


def test_a_later_change_does_not_change_what_was_said(receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    request = cast.ask().request
    hooks.hook(receiver.url)
    (delivery,) = notifying.notify("request.received", request.pk, hooks.WHEN)
    hooks.try_now(delivery)
    DeletionRequest.objects.update(due_date=date(2030, 1, 1))
    cast.mail_code(request.pk)
    hooks.try_now(delivery)
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_the_receiver_verifies_it_with_the_reference_library(receiver: Receiver) -> None:
    created = hooks.hook(receiver.url)
    (delivery,) = hooks.happens()
    hooks.try_now(delivery)
    (received,) = receiver.received
    assert Verifier(created.secret).verify(received.body, dict(received.headers))["type"] == hooks.COMPLETED
    tampered = received.body.replace(b"completed", b"withdrawn")
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Verifier(created.secret).verify(tampered, dict(received.headers))
    other = {**received.headers, "webhook-id": str(uuid.uuid4())}
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Verifier(created.secret).verify(received.body, other)


def test_the_signature_is_that_of_the_published_vector() -> None:
    """Standard Webhooks, the libraries' common test of `sign`."""
    signer = Verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_try_is_signed_with_its_own_time(receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    delivery = hooks.owed(receiver.url)
    before = int(datetime.now(tz=UTC).timestamp())
    hooks.try_now(delivery)
    (received,) = receiver.received
    assert before <= int(received.headers["webhook-timestamp"]) <= before + 5


def test_for_a_day_after_a_rotation_the_old_secret_verifies_and_then_no_more(receiver: Receiver) -> None:
    created = hooks.hook(receiver.url)
    new = rotate_secret(created.webhook.pk, actor=hooks.BOB)
    hooks.try_now(hooks.happens()[0])
    WebhookSecret.objects.filter(expires_at__isnull=False).update(expires_at=datetime.now(tz=UTC))
    hooks.try_now(hooks.happens()[0])
    during, after = receiver.received
    assert len(during.headers["webhook-signature"].split()) == 2
    for secret in (created.secret, new):
        Verifier(secret).verify(during.body, dict(during.headers))
    Verifier(new).verify(after.body, dict(after.headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(created.secret).verify(after.body, dict(after.headers))


def test_the_overlap_is_a_day_and_what_has_ended_is_deleted_at_the_next_rotation(receiver: Receiver) -> None:
    created = hooks.hook(receiver.url)
    rotate_secret(created.webhook.pk, actor=hooks.BOB)
    old = WebhookSecret.objects.get(expires_at__isnull=False)
    assert old.expires_at is not None
    assert timedelta(hours=23) < old.expires_at - datetime.now(tz=UTC) <= timedelta(days=1)
    WebhookSecret.objects.filter(pk=old.pk).update(expires_at=datetime.now(tz=UTC))
    rotate_secret(created.webhook.pk, actor=hooks.BOB)
    assert not WebhookSecret.objects.filter(pk=old.pk).exists()
    assert WebhookSecret.objects.count() == 2


def test_a_secret_is_sealed_for_its_row_alone(receiver: Receiver) -> None:
    one = hooks.hook(receiver.url, "request.approved", name="one")
    hooks.hook(receiver.url, hooks.COMPLETED, name="two")
    rows = list(WebhookSecret.objects.order_by("webhook__name"))
    assert hooks.key_of(one) not in bytes(rows[0].wrapped_key)
    WebhookSecret.objects.filter(pk=rows[1].pk).update(wrapped_key=bytes(rows[0].wrapped_key))
    (delivery,) = hooks.happens()
    hooks.try_now(delivery)
    assert last_result(delivery) == Failure.NOT_RENDERED


def test_what_is_sent_anew_has_the_same_id_and_words_and_ends_the_alarm(receiver: Receiver) -> None:
    receiver.statuses = [410, 200]
    delivery = hooks.try_now(hooks.owed(receiver.url))
    assert delivery.alarmed_at is not None
    assert redeliver(delivery.pk, actor=hooks.BOB).alarmed_at is None
    assert hooks.try_now(delivery).status == DeliveryStatus.DELIVERED
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_no_row_log_or_message_holds_personal_data_or_a_secret(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.DEBUG)
    request = cast.ask().request
    receiver.statuses, receiver.headers = [500, 410], {"X-Echo": cast.ALICE, "Retry-After": cast.ALICE}
    created = hooks.hook(receiver.url)
    for state in RequestState:
        for delivery in notifying.notify(event_type_of(state), request.pk, hooks.WHEN):
            hooks.try_now(delivery)
            hooks.try_now(delivery)
    rows = [list(model._default_manager.values()) for model in apps.get_app_config("outbound").get_models()]
    stored = json.dumps(rows, cls=_AnyEncoder)
    sent = b"".join(each.body for each in receiver.received).decode()
    assert len(receiver.received) > len(RequestState)
    for place in (stored, sent, caplog.text):
        assert cast.MARK not in place
        assert created.secret.removeprefix("whsec_") not in place
    assert receiver.url not in caplog.text, "a path may be a secret of the receiver"


class _AnyEncoder(DjangoJSONEncoder):
    def default(self, o: object) -> object:
        return base64.b64encode(bytes(o)).decode() if isinstance(o, bytes | memoryview) else super().default(o)


def test_a_delivery_does_not_outlive_the_state_change_it_tells_of(receiver: Receiver) -> None:
    hooks.hook(receiver.url)
    with pytest.raises(RuntimeError), transaction.atomic():
        hooks.happens()
        raise RuntimeError
    assert not Delivery.objects.exists() and not WebhookMessage.objects.exists()
