"""Deliveries to other systems: sent after commit, swept when they are due, and quiet when there is nothing to do."""

import logging
import uuid
from datetime import timedelta

import pytest
from pytest_django import Settings

from compliance.outbound import steps
from compliance.outbound.models import DeliveryStatus
from tests.compliance import cast
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import receiving
from tests.workers import recorder
from workers import sweep, tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _recorded(settings: Settings) -> None:
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    settings.SWEEP_GRACE = timedelta(0)
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1"})


def swept() -> list[tuple[str, object]]:
    recorder.SENT.clear()
    sweep.sweep()
    return list(recorder.SENT)


def test_a_delivery_that_no_row_has_is_nothing_to_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tasks.deliver(str(uuid.uuid4()))
    assert caplog.text == ""


def test_an_error_is_logged_without_its_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(cast.ALICE)

    monkeypatch.setattr(steps, "claim", fail)
    tasks.deliver(str(uuid.uuid4()))
    assert "RuntimeError at" in caplog.text and cast.MARK not in caplog.text


def test_a_message_delivers_and_a_second_one_finds_nothing_to_do() -> None:
    with receiving() as receiver:
        delivery = hooks.owed(receiver.url)
        tasks.deliver(str(delivery.pk))
        tasks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.status, len(receiver.received)) == (DeliveryStatus.DELIVERED, 1)
    assert swept() == []


def test_a_delivery_whose_message_was_lost_is_swept_and_one_that_is_tried_is_not() -> None:
    delivery = hooks.owed("http://127.0.0.1:1/")
    assert swept() == [("deliver", delivery.pk)]
    steps.claim(delivery.pk)
    assert swept() == []
    hooks.pass_time(delivery)
    assert swept() == [("deliver", delivery.pk)]
