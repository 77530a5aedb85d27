"""Staff are told of answers that are due: once a stage, the overdue ones loudly, and nothing about the person."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from compliance.requests import reminding
from compliance.requests.actions.remind_staff import remind_staff
from compliance.requests.deadlines import ReminderKind
from compliance.requests.models import DeletionRequest, Reminder
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
STAGES = {
    60: None,
    15: None,
    14: ReminderKind.DUE_IN_14_DAYS,
    8: ReminderKind.DUE_IN_14_DAYS,
    7: ReminderKind.DUE_IN_7_DAYS,
    3: ReminderKind.DUE_IN_3_DAYS,
    1: ReminderKind.DUE_IN_3_DAYS,
    0: ReminderKind.DUE_TODAY,
    -1: ReminderKind.OVERDUE,
    -400: ReminderKind.OVERDUE,
}


def due_in(days: int, state: RequestState = RequestState.UNDER_REVIEW) -> DeletionRequest:
    request = cast.brought_to(state).request
    DeletionRequest.objects.filter(pk=request.pk).update(due_date=(NOW + timedelta(days=days)).date())
    return request


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.STAFF_EMAILS, settings.ESCALATION_EMAILS = ("dpo@example.org",), ("board@example.org",)
    settings.TIME_ZONE = "UTC"


@pytest.mark.parametrize("state", sorted(TERMINAL), ids=str)
def test_nobody_is_reminded_of_what_is_closed(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    due_in(-1, state)
    assert reminding.due(NOW) == []


@pytest.mark.parametrize(("days", "kind"), STAGES.items())
def test_each_stage_is_told_once(days: int, kind: ReminderKind | None) -> None:
    due_in(days)
    assert [each.kind for each in reminding.due(NOW)] == ([] if kind is None else [kind])
    assert remind_staff(NOW) == (kind is not None)
    assert remind_staff(NOW) == 0
    assert len(mail.outbox) == (0 if kind is None else 2 if kind == ReminderKind.OVERDUE else 1)


def test_a_request_goes_through_its_stages() -> None:
    due_in(20)
    told = [each.kind for day in range(30) for each in _round(NOW + timedelta(days=day))]
    assert told == list(ReminderKind)


def _round(now: datetime) -> list[reminding.Due]:
    found = reminding.due(now)
    remind_staff(now)
    return found


def test_an_extended_request_is_reminded_of_its_new_date() -> None:
    request = due_in(0)
    remind_staff(NOW)
    DeletionRequest.objects.filter(pk=request.pk).update(due_date=(NOW + timedelta(days=3)).date())
    assert [each.kind for each in reminding.due(NOW)] == [ReminderKind.DUE_IN_3_DAYS]


def test_what_is_overdue_is_escalated_and_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    request = due_in(-2)
    with caplog.at_level(logging.ERROR):
        remind_staff(NOW)
    assert [message.to for message in mail.outbox] == [["dpo@example.org"], ["board@example.org"]]
    assert f"OVERDUE request {request.pk}" in caplog.text


def test_the_mail_names_nobody() -> None:
    request = due_in(1)
    remind_staff(NOW)
    (message,) = mail.outbox
    assert str(request.pk) in message.body
    assert "1 day left" in message.body
    assert cast.MARK not in f"{message.subject} {message.body}"


def test_a_mail_that_fails_is_tried_again(settings: Settings) -> None:
    due_in(1)
    settings.EMAIL_BACKEND = "tests.compliance.requests.test_reminding.Broken"
    with pytest.raises(OSError, match="down"):
        remind_staff(NOW)
    assert not Reminder.objects.exists()


class Broken:
    """A mail server that is down."""

    def __init__(self, *args: object, **options: object) -> None: ...

    def send_messages(self, messages: object) -> int:
        raise OSError("the mail server is down")


def test_looking_costs_one_query_however_many_are_due() -> None:
    for days in range(-3, 3):
        due_in(days)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(reminding.due(NOW)) == 6
    assert len(queries) == 1


def test_without_addresses_the_stages_are_still_noted(settings: Settings) -> None:
    settings.STAFF_EMAILS = settings.ESCALATION_EMAILS = ()
    due_in(-1)
    assert remind_staff(NOW) == 1
    assert mail.outbox == []
