"""A recipient that acknowledges inside the very exchange that tells it: another connection, before our own record."""

import json

import pytest
from django.db import connections

from compliance.outbound import engine
from compliance.outbound.models import DeliveryStatus
from tests.compliance.outbound.receiver import Receiver
from tests.compliance.recipients import scene

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_an_answer_within_the_exchange_is_taken_once_with_both_entries(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url=scene.url_of(server))
    statuses: list[int] = []

    def acknowledge() -> None:
        try:
            found = scene.read(server.received[-1], notice)
            statuses.append(scene.answer(notice, scene.by_token(found)).status_code)
        finally:
            connections.close_all()

    server.meanwhile = acknowledge
    delivery = scene.delivery_of(notice)
    engine.deliver(delivery.pk)
    delivery.refresh_from_db()
    notice.refresh_from_db()
    assert statuses == [200]
    assert (delivery.status, notice.status) == (DeliveryStatus.DELIVERED, "acknowledged")
    for event in ("request.recipient_notified", "request.recipient_acknowledged"):
        assert len(scene.facts_of(notice.request, event)) == 1
    assert json.loads(bytes(notice.acknowledgement))["result"] == "done"
