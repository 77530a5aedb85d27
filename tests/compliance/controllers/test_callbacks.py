"""Who is called back, when, with what, and what becomes of a callback that nobody takes in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from compliance.controllers import notifications, queries
from compliance.controllers.actions.deactivate_controller import deactivate_controller
from compliance.controllers.models import StatusNotice
from compliance.ledger.actors import SYSTEM
from compliance.opendsr import signatures
from compliance.opendsr.dialect import OPENGDPR_1
from compliance.outbound import pace
from compliance.outbound.models import Delivery, DeliveryStatus, Failure
from tests.compliance import cast
from tests.compliance.controllers.caller import CALLBACK_URL, Caller
from tests.compliance.controllers.installation import deliver_all, registered, row_of, switch_on
from tests.compliance.opendsr.authority import DOMAIN, Authority, Terms, rsa_key
from tests.compliance.outbound.hooks import try_now
from tests.compliance.outbound.receiver import Received, Receiver, last_result, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller(registered().token)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def statuses(received: list[Received]) -> list[str]:
    return [json.loads(each.body)["request_status"] for each in received]


def test_other_channels_cost_nothing() -> None:
    request = cast.ask().request
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert notifications.state_changed(request) == []
    assert len(asked) == 0


def test_a_step_without_a_word_of_its_own_is_no_change(caller: Caller) -> None:
    row = row_of(caller.created(status_callback_urls=[CALLBACK_URL]))
    cast.ask_back(row.request_id)
    cast.answer_back(row.request_id)
    assert not StatusNotice.objects.exists()
    cast.decide(row.request_id)
    cast.make_plan(row.request_id)
    assert [notice.status for notice in StatusNotice.objects.all()] == ["in_progress"]
    assert Delivery.objects.count() == 1


def test_a_request_without_addresses_is_told_to_nobody(caller: Caller) -> None:
    row = row_of(caller.created())
    cast.say_no(row.request_id)
    assert not Delivery.objects.exists()


def test_what_is_rolled_back_is_told_to_nobody(caller: Caller) -> None:
    row = row_of(caller.created(status_callback_urls=[CALLBACK_URL]))
    with pytest.raises(RuntimeError), transaction.atomic():
        cast.say_no(row.request_id)
        raise RuntimeError
    assert not Delivery.objects.exists()
    assert row_of(row.subject_request_id).status_told == "pending"


def test_each_address_is_called_with_its_own_signed_body(caller: Caller, receiver: Receiver) -> None:
    urls = [receiver.url, f"{receiver.url}&second=1"]
    request_id = caller.created(status_callback_urls=[*urls, urls[0]])
    cast.say_no(row_of(request_id).request_id)
    assert [delivery.status for delivery in deliver_all()] == ["delivered", "delivered"]
    assert sorted(json.loads(each.body)["status_callback_url"] for each in receiver.received) == urls
    for each in receiver.received:
        told = json.loads(each.body)
        assert signatures.verify(each.body, each.headers["x-opendsr-signature"], rsa_key().public_key())
        assert each.headers["x-opendsr-processor-domain"] == DOMAIN
        assert (told["request_status"], told["subject_request_id"]) == ("completed", request_id)
        assert told["extensions"][DOMAIN]["refusal_code"] == "art17_3_e"


def test_a_request_of_the_earlier_version_is_called_back_in_its_words(caller: Caller, receiver: Receiver) -> None:
    caller.dialect = OPENGDPR_1
    cast.say_no(row_of(caller.created(status_callback_urls=[receiver.url])).request_id)
    deliver_all()
    (received,) = receiver.received
    assert received.headers["x-opengdpr-processor-domain"] == DOMAIN
    assert signatures.verify(received.body, received.headers["x-opengdpr-signature"], rsa_key().public_key())


def test_a_try_after_another_has_the_same_words_and_signature(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [503, 202]
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    deliver_all()
    deliver_all()
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["x-opendsr-signature"] == second.headers["x-opendsr-signature"]


def test_what_was_overtaken_is_tried_once_and_not_told_late(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [503, 202]
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    (late,) = deliver_all()
    cast.make_plan(row.request_id)
    cast.second_signature(row.request_id)
    (newer,) = Delivery.objects.exclude(pk=late.pk)
    assert try_now(newer).status == DeliveryStatus.DELIVERED
    assert try_now(late).status == DeliveryStatus.GAVE_UP
    assert (last_result(late), late.alarmed_at) == (Failure.NOT_WANTED, None)
    assert statuses(receiver.received) == ["in_progress", "completed"]


def test_each_status_has_one_try_at_least_also_when_it_comes_late(caller: Caller, receiver: Receiver) -> None:
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    (late,) = Delivery.objects.all()
    cast.make_plan(row.request_id)
    cast.second_signature(row.request_id)
    try_now(Delivery.objects.exclude(pk=late.pk).get())
    assert try_now(late).status == DeliveryStatus.DELIVERED
    assert statuses(receiver.received) == ["completed", "in_progress"]


def test_a_callback_that_nobody_takes_in_raises_an_alarm_within_a_day(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [500]
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    (delivery,) = Delivery.objects.all()
    assert delivery.give_up_at - delivery.created_at <= timedelta(hours=24)
    for _ in range(pace.MAX_TRIES):
        try_now(delivery)
    assert delivery.status == DeliveryStatus.GAVE_UP
    assert delivery.alarmed_at is not None
    (overview,) = queries.overviews()
    assert (overview.n_alarms, overview.n_by_status["in_progress"]) == (1, 1)


def test_a_deactivated_controller_is_called_no_more_and_its_alarms_end(caller: Caller, receiver: Receiver) -> None:
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    Delivery.objects.update(alarmed_at=datetime.now(tz=UTC))
    deactivate_controller(row.controller_id, actor=SYSTEM)
    (delivery,) = deliver_all()
    assert (delivery.status, delivery.alarmed_at, last_result(delivery)) == ("gave_up", None, "not_wanted")
    cast.make_plan(row.request_id)
    cast.second_signature(row.request_id)
    assert Delivery.objects.count() == 1
    assert receiver.received == []


def test_a_host_that_may_not_be_reached_any_more_is_not_called(
    caller: Caller, receiver: Receiver, settings: Settings
) -> None:
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset()
    (delivery,) = deliver_all()
    assert (delivery.status, last_result(delivery)) == ("pending", Failure.ADDRESS_REFUSED)
    assert receiver.received == []


def test_without_a_valid_certificate_a_callback_waits(
    caller: Caller, receiver: Receiver, settings: Settings, tmp_path: Path, authority: Authority
) -> None:
    row = row_of(caller.created(status_callback_urls=[receiver.url]))
    cast.decide(row.request_id)
    yesterday = Terms(valid_until=datetime.now(tz=UTC) - timedelta(days=1))
    switch_on(settings, tmp_path / "old", authority.identity(terms=yesterday))
    (delivery,) = deliver_all()
    assert (delivery.status, last_result(delivery)) == ("pending", Failure.NOT_RENDERED)
    switch_on(
        settings, tmp_path / "new", authority.identity(terms=Terms(valid_until=datetime.now(tz=UTC) + timedelta(9)))
    )
    assert try_now(delivery).status == DeliveryStatus.DELIVERED
