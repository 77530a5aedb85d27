"""The delivery log is read page by page, at the same cost however long it is."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.outbound import queries
from compliance.outbound.errors import InvalidWebhookError, NotFoundError
from compliance.outbound.models import DeliveryStatus
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver

pytestmark = pytest.mark.django_db
BROKEN = {
    "a word": "newest",
    "no id": "2026-05-01T12:00:00+00:00_",
    "no time": f"_{uuid.uuid4()}",
    "no zone": f"2026-05-01T12:00:00_{uuid.uuid4()}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_cursor_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidWebhookError):
        queries.deliveries(older_than=BROKEN[name])


def test_a_webhook_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        queries.webhook(uuid.uuid4())


def test_pages_together_are_the_log_newest_first(receiver: Receiver) -> None:
    hooks.hook(receiver.url)
    made = [hooks.happens()[0].pk for _ in range(7)]
    seen, older_than = [], None
    while True:
        page = queries.deliveries(older_than=older_than, n_rows=3)
        seen += [row.pk for row in page.rows]
        older_than = page.older_than
        if older_than is None:
            break
    assert seen == made[::-1]


def test_a_page_costs_the_same_however_many_rows_it_has(receiver: Receiver) -> None:
    created = hooks.hook(receiver.url)
    costs = []
    for _ in range(2):
        for _ in range(5):
            hooks.try_now(hooks.happens()[0])
        with CaptureQueriesContext(connection) as captured:
            page = queries.deliveries(webhook_id=created.webhook.pk)
            told = queries.messages_of(page.rows)
            assert {row.attempts.all()[0].status_code for row in page.rows} == {204}
            assert {told[row.subject_id].webhook.name for row in page.rows} == {"crm"}
            assert [row.n_pending for row in queries.webhooks()] == [0]
        costs.append(len(captured))
    assert costs == [4, 4]


def test_the_log_is_asked_by_webhook_request_and_status(receiver: Receiver) -> None:
    receiver.statuses = [204, 410]
    one = hooks.hook(receiver.url, "request.approved", name="one")
    two = hooks.hook(receiver.url, hooks.COMPLETED, name="two")
    (first,) = hooks.happens("request.approved")
    (second,) = hooks.happens()
    hooks.try_now(first)
    hooks.try_now(second)

    def found(**asked: object) -> list[uuid.UUID]:
        return [row.pk for row in queries.deliveries(**asked).rows]  # type: ignore[arg-type]

    assert found(webhook_id=one.webhook.pk) == [first.pk]
    assert found(webhook_id=two.webhook.pk, status=DeliveryStatus.DELIVERED) == []
    assert found(status=DeliveryStatus.GAVE_UP) == [second.pk]
    assert found(request_id=hooks.REQUEST_ID) == [second.pk, first.pk]
    assert found(request_id=uuid.uuid4()) == [] == found(kind="other")
    assert [row.pk for row in queries.alarms()] == [second.pk]
    assert [(row.webhook.name, row.n_pending, row.n_alarms) for row in queries.webhooks()] == [
        ("one", 0, 0),
        ("two", 0, 1),
    ]
    assert queries.webhook(two.webhook.pk).webhook.name == "two"
