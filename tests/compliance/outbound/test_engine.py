"""Tries, their record and their end, against a real receiver; workers that race and workers that die."""

import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as project
from django.db import connection, connections, transaction
from pytest_django import Settings

from compliance.outbound import catalogue, engine, exchange, pace, steps
from compliance.outbound.catalogue import Kind
from compliance.outbound.errors import KindError
from compliance.outbound.exchange import Outcome
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery, DeliveryAttempt, DeliveryStatus, Failure
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver, last_result
from tests.services.free_port import free_port

pytestmark = pytest.mark.django_db


def test_a_delivery_that_no_row_has_is_nothing_to_do() -> None:
    engine.deliver(uuid.uuid4())
    assert not DeliveryAttempt.objects.exists()


def test_a_kind_that_no_file_has_is_refused() -> None:
    with pytest.raises(KindError, match="webhook"):
        steps.create("carrier_pigeon", uuid.uuid4(), "https://receiver.example/")


def test_a_closed_network_is_refused_at_each_try_and_no_change_fails_for_it(
    receiver: Receiver, settings: Settings
) -> None:
    delivery = hooks.owed(receiver.url)
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset()
    hooks.try_now(delivery)
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.PENDING, Failure.ADDRESS_REFUSED)
    assert len(hooks.happens()) == 1
    assert receiver.received == []


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_2xx_is_delivered_and_not_sent_again(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    delivery = hooks.owed(receiver.url)
    for _ in range(3):
        engine.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.n_tries, last_result(delivery)) == (DeliveryStatus.DELIVERED, 1, status)
    assert delivery.delivered_at is not None and delivery.next_try_at is None
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502])
def test_another_status_is_tried_again_later(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status, 200]
    delivery = hooks.owed(receiver.url)
    before = datetime.now(tz=UTC)
    engine.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.PENDING, status)
    assert delivery.next_try_at is not None
    assert timedelta(seconds=30) <= delivery.next_try_at - before <= timedelta(seconds=50)
    engine.deliver(delivery.pk)
    assert len(receiver.received) == 1, "not due yet"
    assert hooks.try_now(delivery).status == DeliveryStatus.DELIVERED


def test_gone_is_the_end_at_once(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.statuses = [410]
    delivery = hooks.try_now(hooks.owed(receiver.url))
    assert (delivery.status, delivery.n_tries) == (DeliveryStatus.GAVE_UP, 1)
    assert delivery.alarmed_at is not None
    assert "DELIVERY ALARM" in caplog.text and str(delivery.pk) in caplog.text


@pytest.mark.parametrize(("status", "seconds"), [(429, 3600), (503, 3600), (500, 40)])
def test_a_busy_receiver_says_when(receiver: Receiver, status: int, seconds: int) -> None:
    receiver.statuses, receiver.headers = [status], {"Retry-After": "3600"}
    before = datetime.now(tz=UTC)
    delivery = hooks.try_now(hooks.owed(receiver.url))
    assert delivery.next_try_at is not None
    assert 0.7 * seconds <= (delivery.next_try_at - before).total_seconds() <= seconds + 10


def test_after_twelve_tries_it_is_given_up_with_an_alarm(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.statuses = [500]
    delivery = hooks.owed(receiver.url)
    for _ in range(pace.MAX_TRIES + 3):
        hooks.try_now(delivery)
    assert (delivery.status, delivery.n_tries) == (DeliveryStatus.GAVE_UP, pace.MAX_TRIES)
    assert delivery.alarmed_at is not None and delivery.next_try_at is None
    assert len(receiver.received) == pace.MAX_TRIES
    (alarm,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert receiver.url not in alarm.getMessage()


def test_after_a_day_the_next_failure_is_the_last(receiver: Receiver) -> None:
    receiver.statuses = [500]
    delivery = hooks.owed(receiver.url)
    Delivery.objects.update(give_up_at=datetime.now(tz=UTC))
    assert hooks.try_now(delivery).status == DeliveryStatus.GAVE_UP
    assert len(receiver.received) == 1


def test_nobody_there_is_tried_again() -> None:
    delivery = hooks.try_now(hooks.owed(f"http://127.0.0.1:{free_port()}/"))
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.PENDING, Failure.NO_CONNECTION)


def test_a_message_that_cannot_be_made_is_told_by_its_error_alone(
    receiver: Receiver, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = hooks.owed(receiver.url)
    settings.VAULT_MASTER_KEY = bytes(32)
    hooks.try_now(delivery)
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.PENDING, Failure.NOT_RENDERED)
    assert "VaultError" in caplog.text
    assert receiver.received == []


def test_a_worker_that_was_too_slow_changes_nothing(receiver: Receiver) -> None:
    delivery = hooks.owed(receiver.url)
    slow = steps.claim(delivery.pk)
    assert slow is not None
    assert hooks.try_now(delivery).status == DeliveryStatus.DELIVERED
    assert not steps.record(slow, Outcome(failure=Failure.TIMED_OUT))
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
    assert [attempt.failure for attempt in delivery.attempts.all()] == [Failure.TIMED_OUT, ""]


def test_workers_that_always_die_do_not_go_on_for_ever(receiver: Receiver) -> None:
    delivery = hooks.owed(receiver.url)
    for _ in range(pace.MAX_TRIES):
        hooks.pass_time(delivery)
        assert steps.claim(delivery.pk) is not None
    hooks.try_now(delivery)
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.GAVE_UP, Failure.TRIES_USED_UP)
    assert delivery.alarmed_at is not None and receiver.received == []


def test_a_hook_that_fails_undoes_the_record_and_the_delivery_is_due_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(delivery: Delivery) -> None:
        raise RuntimeError

    delivery = hooks.owed(receiver.url)
    kind = catalogue.find("webhook")
    broken = Kind(
        name=kind.name, render=kind.render, is_wanted=kind.is_wanted, on_delivered=fail, on_gave_up=kind.on_gave_up
    )
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(catalogue, "discover", lambda: {"webhook": broken})
        engine.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.PENDING, Failure.NO_RECORD)
    assert hooks.try_now(delivery).status == DeliveryStatus.DELIVERED


def test_no_transaction_is_open_while_the_network_is_asked(receiver: Receiver, ledger_db: None) -> None:
    seen = []
    delivery = hooks.owed(receiver.url)
    original = exchange.send

    def watching(url: str, message: Message) -> Outcome:
        seen.append(connection.in_atomic_block)
        return original(url, message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "send", watching)
        engine.deliver(delivery.pk)
    assert seen == [False]


def test_a_kind_whose_file_was_taken_away_comes_to_an_end(receiver: Receiver) -> None:
    delivery = hooks.owed(receiver.url)
    Delivery.objects.update(kind="carrier_pigeon", give_up_at=datetime.now(tz=UTC))
    hooks.try_now(delivery)
    assert (delivery.status, last_result(delivery)) == (DeliveryStatus.GAVE_UP, Failure.NOT_RENDERED)


def test_of_many_workers_one_sends(receiver: Receiver, ledger_db: None) -> None:
    delivery = hooks.owed(receiver.url)
    start = threading.Barrier(6)

    def work() -> None:
        try:
            start.wait()
            engine.deliver(delivery.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivery.refresh_from_db()
    assert (len(receiver.received), delivery.n_tries) == (1, 1)
    assert delivery.status == DeliveryStatus.DELIVERED


def test_a_worker_killed_between_sending_and_writing_it_down_sends_the_same_again(
    receiver: Receiver, ledger_db: None, process_environment: dict[str, str]
) -> None:
    delivery = hooks.owed(receiver.url)
    program = (
        "import django; django.setup()\n"
        "import sys, uuid\n"
        "from compliance.outbound import engine\n"
        "engine.deliver(uuid.UUID(sys.argv[1]))\n"
    )
    environment = {**process_environment, "EXPUNGE_OUTBOUND_ALLOWED_HOSTS": "127.0.0.1"}
    worker = subprocess.Popen([sys.executable, "-c", program, str(delivery.pk)], cwd=project.ROOT, env=environment)

    def kill() -> None:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    receiver.meanwhile = kill
    assert worker.wait(timeout=60) == -signal.SIGKILL
    receiver.meanwhile = lambda: None
    assert last_result(delivery) == Failure.NO_RECORD
    engine.deliver(delivery.pk)
    assert len(receiver.received) == 1, "the lease still holds"
    assert hooks.try_now(delivery).status == DeliveryStatus.DELIVERED
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert [attempt.failure or attempt.status_code for attempt in delivery.attempts.all()] == [Failure.NO_RECORD, 204]


def test_what_is_rolled_back_is_not_sent(receiver: Receiver, ledger_db: None, settings: Settings) -> None:
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    hooks.hook(receiver.url)
    with pytest.raises(RuntimeError), transaction.atomic():
        hooks.happens()
        raise RuntimeError
    assert not Delivery.objects.exists()
