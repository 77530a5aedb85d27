"""What a sweep finds to be sent, and which addresses it leaves alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as project

from compliance.outbound import engine, steps
from compliance.outbound.models import Delivery
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver
from tests.services.free_port import free_port

pytestmark = pytest.mark.django_db


def test_nothing_is_due_that_is_fresh_being_tried_or_over(receiver: Receiver) -> None:
    fresh, tried, over = (hooks.owed(receiver.url), *hooks.happens(), *hooks.happens())
    steps.claim(tried.pk)
    hooks.try_now(over)
    assert engine.due(datetime.now(tz=UTC)) == []
    assert engine.due(datetime.now(tz=UTC) + project.SWEEP_GRACE + timedelta(seconds=1)) == [fresh.pk]


def test_a_try_that_was_lost_is_due(receiver: Receiver) -> None:
    delivery = hooks.owed(receiver.url)
    steps.claim(delivery.pk)
    assert engine.due(datetime.now(tz=UTC) + steps.LEASE) == [delivery.pk]


def test_a_few_of_each_address_are_due_so_that_no_receiver_keeps_the_others_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DUE_PER_ADDRESS", 3)
    hooks.hook(receiver.url, "request.approved", name="busy")
    for _ in range(10):
        hooks.happens("request.approved")
    hooks.hook(receiver.url.replace("hook", "other"), "request.refused", name="other")
    (other,) = hooks.happens("request.refused")
    found = engine.due(datetime.now(tz=UTC) + timedelta(hours=1))
    assert len(found) == 4 and other.pk in found


def test_no_more_are_due_than_was_asked_for(receiver: Receiver) -> None:
    hooks.hook(receiver.url)
    for _ in range(5):
        hooks.happens()
    assert len(engine.due(datetime.now(tz=UTC) + timedelta(hours=1), limit=2)) == 2


def test_an_address_that_was_not_reached_rests_for_a_minute_with_all_that_waits_for_it(receiver: Receiver) -> None:
    hooks.hook(f"http://127.0.0.1:{free_port()}/", name="away")
    hooks.hook(receiver.url, name="there")
    first, second = hooks.happens()
    away = Delivery.objects.exclude(url=receiver.url).get()
    engine.deliver(away.pk)
    waiting = Delivery.objects.exclude(pk__in=[first.pk, second.pk])
    hooks.happens()
    for delivery in waiting:
        engine.deliver(delivery.pk)
    assert {each.url: each.n_tries for each in waiting.all()} == {away.url: 0, receiver.url: 1}
    soon, later = (datetime.now(tz=UTC) + pause for pause in (timedelta(seconds=50), timedelta(minutes=2)))
    assert not set(engine.due(soon)) & set(Delivery.objects.filter(url=away.url).values_list("pk", flat=True))
    assert away.pk in engine.due(later)


def test_a_receiver_that_answers_with_an_error_does_not_rest(receiver: Receiver) -> None:
    receiver.statuses = [500]
    hooks.hook(receiver.url)
    for _ in range(2):
        (delivery,) = hooks.happens()
        engine.deliver(delivery.pk)
    assert len(receiver.received) == 2
