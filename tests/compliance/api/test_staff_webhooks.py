"""Webhooks and deliveries over the API: secrets shown once, refusals, and a log in pages."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.outbound.models import Delivery, DeliveryAttempt, Webhook, WebhookSecret
from tests.compliance import cast
from tests.compliance.api import things
from tests.compliance.api.caller import body_of, refused, staff
from tests.compliance.outbound import hooks

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {"name": "crm", "url": "https://receiver.example/hook"}
BAD_BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "no address": ({**GOOD, "url": "receiver"}, "address_refused"),
    "an address inside": ({**GOOD, "url": "https://10.0.0.1/"}, "address_refused"),
    "no TLS": ({**GOOD, "url": "http://receiver.example/"}, "address_refused"),
    "a name of spaces": ({**GOOD, "name": " x"}, "invalid_input"),
    "an unknown type": ({**GOOD, "event_types": ["request.eaten"]}, "invalid_input"),
    "no type": ({**GOOD, "event_types": []}, "invalid_input"),
    "types that are a text": ({**GOOD, "event_types": "*"}, "invalid_input"),
    "another member": ({**GOOD, "secret": "x"}, "invalid_input"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_what_is_no_webhook_is_refused(name: str) -> None:
    body, code = BAD_BODIES[name]
    if name == "a name of spaces":
        body = {**body, "name": "/x"}
    refused(staff(cast.bob()).post("staff-webhooks", body=body), 400, code)
    assert not Webhook.objects.exists()


def test_a_name_is_taken_once() -> None:
    bob = staff(cast.bob())
    assert bob.post("staff-webhooks", body=GOOD).status_code == 201
    refused(bob.post("staff-webhooks", body=GOOD), 400, "invalid_input")


@pytest.mark.parametrize("name", ["staff-webhook-rotate", "staff-webhook-test", "staff-webhook-disable"])
def test_nothing_is_done_to_a_webhook_that_is_not_there_or_was_disabled(name: str) -> None:
    bob = staff(cast.bob())
    refused(bob.post(name, uuid.uuid4()), 404, "not_found")
    webhook = things.webhook()
    assert bob.post("staff-webhook-disable", webhook).status_code == 200
    refused(bob.post(name, webhook), 409, "wrong_state")


def test_its_secret_is_shown_when_it_is_made_and_nowhere_else() -> None:
    bob = staff(cast.bob())
    made = body_of(bob.post("staff-webhooks", body=GOOD))
    assert made["secret"].startswith("whsec_")
    assert made["event_types"] == ["*"]
    rotated = body_of(bob.post("staff-webhook-rotate", made["id"]))
    assert rotated["secret"] != made["secret"]
    shown = [bob.get("staff-webhooks"), bob.get("staff-webhook", made["id"])]
    assert not any(b"whsec_" in answer.content for answer in shown)
    assert WebhookSecret.objects.count() == 2


def test_a_webhook_is_tried_out_and_its_log_shows_it() -> None:
    bob = staff(cast.bob())
    webhook = things.webhook()
    tried = bob.post("staff-webhook-test", webhook)
    assert tried.status_code == 202
    delivery = body_of(tried)
    assert (delivery["event_type"], delivery["webhook"], delivery["status"]) == (
        "webhook.test",
        str(webhook),
        "pending",
    )
    assert body_of(bob.get("staff-deliveries", webhook=str(webhook)))["results"] == [delivery]
    assert body_of(bob.get("staff-deliveries", status="delivered"))["results"] == []
    assert body_of(bob.get("staff-deliveries", request=str(hooks.REQUEST_ID)))["results"] == []
    assert body_of(bob.get("staff-webhook", webhook))["n_pending"] == 1


def test_a_delivery_that_was_given_up_is_an_alarm_until_it_is_sent_again() -> None:
    bob = staff(cast.bob())
    delivery = things.ended_delivery()
    (alarm,) = body_of(bob.get("staff-delivery-alarms"))["results"]
    assert (alarm["id"], alarm["request"]) == (str(delivery), str(hooks.REQUEST_ID))
    again = bob.post("staff-redeliver", delivery)
    assert (again.status_code, body_of(again)["status"]) == (202, "pending")
    assert body_of(bob.get("staff-delivery-alarms"))["results"] == []
    refused(bob.post("staff-redeliver", delivery), 409, "wrong_state")


BAD_QUERIES = {
    "no webhook": ({"webhook": "crm"}, "#/webhook"),
    "no status": ({"status": "lost"}, "#/status"),
    "no cursor": ({"cursor": "x"}, "#/cursor"),
    "a cursor without zone": ({"cursor": f"2026-05-01T12:00:00_{uuid.uuid4()}"}, "#/cursor"),
    "a cursor before all time": ({"cursor": f"0001-01-01T00:00:00+14:00_{uuid.uuid4()}"}, "#/cursor"),
    "a filter that there is not": ({"url": "x"}, "#"),
}


@pytest.mark.parametrize("name", BAD_QUERIES)
def test_a_log_refuses_a_query_that_it_does_not_know(name: str) -> None:
    query, pointer = BAD_QUERIES[name]
    response = staff(cast.bob()).get("staff-deliveries", **query)
    if name == "a cursor before all time" and response.status_code == 200:
        return  # PostgreSQL keeps times before the first year
    problem = refused(response, 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_the_log_comes_in_pages_and_costs_the_same_queries() -> None:
    bob = staff(cast.bob())
    hooks.hook("https://receiver.example/hook")
    made = []
    for number in range(53):
        (delivery,) = hooks.happens()
        Delivery.objects.filter(pk=delivery.pk).update(created_at=hooks.WHEN + timedelta(seconds=number))
        DeliveryAttempt.objects.create(delivery=delivery, at=hooks.WHEN, status_code=500)
        made.append(str(delivery.pk))
    first = body_of(bob.get("staff-deliveries"))
    second = bob.http.get(first["next"], headers={"Authorization": bob.authorization}).json()
    assert [row["id"] for page in (first, second) for row in page["results"]] == made[::-1]
    assert second["next"] is None
    Delivery.objects.update(alarmed_at=hooks.WHEN)
    for name in ("staff-deliveries", "staff-delivery-alarms"):
        with CaptureQueriesContext(connection) as queries:
            assert bob.get(name).status_code == 200
        assert len(queries) < 12
