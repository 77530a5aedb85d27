"""People who do not answer: one reminder, then the end; and strangers' addresses that must not be flooded by either."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from compliance.identity import silence
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Actor, Role, subject_of
from compliance.ledger.models import PendingEntry
from compliance.requests.actions.close_unverified import close_unverified
from compliance.requests.actions.confirm_by_controller import confirm_by_controller
from compliance.requests.actions.remind_of_identity import remind_of_identity
from compliance.requests.actions.request_identity import mark_code_sent
from compliance.requests.actions.submit import submit
from compliance.requests.errors import ForbiddenActorError, NotFoundError, NotReadyError, StateError
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return datetime.now(tz=UTC)


def silent_since(hours: float, email: str = cast.ALICE) -> DeletionRequest:
    """A request whose person was asked so long ago and has not answered."""
    request = cast.ask(email).request
    cast.mail_code(request.pk)
    mark_code_sent(request.pk)
    at = now() - timedelta(hours=hours)
    IdentityChallenge.objects.filter(request=request).update(sent_at=at)
    DeletionRequest.objects.filter(pk=request.pk).update(changed_at=at, received_at=at)
    return request


def reminded(days_ago: float = 31, email: str = cast.ALICE) -> DeletionRequest:
    """A request that is due to be closed: its person was reminded, too."""
    request = silent_since(days_ago * 24, email)
    remind_of_identity(request.pk)
    Letter.objects.filter(request=request).update(sent_at=now(), created_at=now() - timedelta(hours=2))
    return request


def passed_on(days_ago: float = 31) -> DeletionRequest:
    """Another controller's request, whose word is not enough here: it waits for a proof of level 3."""
    request = submit(identifier_kind="email", identifier_value=cast.ALICE, channel="opendsr").request
    confirm_by_controller(request.pk, actor=actors.controller(uuid.uuid4()))
    cast.mail_code(request.pk)
    at = now() - timedelta(days=days_ago)
    IdentityChallenge.objects.filter(request=request).update(sent_at=at)
    DeletionRequest.objects.filter(pk=request.pk).update(changed_at=at, received_at=at)
    return request


def letters_of(request: DeletionRequest) -> list[str]:
    return list(request.letters.values_list("kind", flat=True))


def test_nobody_is_reminded_within_a_day() -> None:
    request = silent_since(23)
    with pytest.raises(NotReadyError, match="less than a day"):
        remind_of_identity(request.pk)
    assert silence.silent(now()).to_remind == []
    assert letters_of(request) == []


def test_nobody_is_reminded_of_a_code_that_never_arrived() -> None:
    request = silent_since(48)
    IdentityChallenge.objects.update(sent_at=None)
    with pytest.raises(NotReadyError):
        remind_of_identity(request.pk)
    assert silence.silent(now()).to_remind == []


def test_whoever_asked_for_a_fresh_code_is_not_silent() -> None:
    request = silent_since(48)
    IdentityChallenge.objects.update(sent_at=now())
    with pytest.raises(NotReadyError):
        remind_of_identity(request.pk)


@pytest.mark.parametrize("state", [RequestState.RECEIVED, RequestState.UNDER_REVIEW, RequestState.WITHDRAWN])
def test_a_request_that_waits_for_no_proof_is_neither_reminded_of_nor_closed(state: RequestState) -> None:
    request = cast.brought_to(state).request
    with pytest.raises(StateError):
        remind_of_identity(request.pk)
    with pytest.raises(StateError):
        close_unverified(request.pk, actor=SYSTEM)


def test_a_request_that_is_not_there_is_neither() -> None:
    with pytest.raises(NotFoundError):
        remind_of_identity(uuid.uuid4())
    with pytest.raises(NotFoundError):
        close_unverified(uuid.uuid4(), actor=SYSTEM)


def test_a_request_is_not_closed_before_its_day() -> None:
    request = reminded(days_ago=5)
    with pytest.raises(NotReadyError, match="may still prove"):
        close_unverified(request.pk, actor=SYSTEM)
    assert silence.silent(now()).to_close == []


def test_a_request_is_not_closed_without_a_reminder() -> None:
    request = silent_since(31 * 24)
    with pytest.raises(NotReadyError, match="not reminded"):
        close_unverified(request.pk, actor=SYSTEM)
    remind_of_identity(request.pk)
    with pytest.raises(NotReadyError, match="not reminded"):
        close_unverified(request.pk, actor=SYSTEM)
    assert silence.silent(now()).to_close == []


def test_a_mail_that_is_still_tried_was_not_given() -> None:
    asked = silent_since(31 * 24)
    IdentityChallenge.objects.update(sent_at=None, n_tries=MAIL_TRIES - 1)
    assert silence.silent(now()).to_remind == []
    IdentityChallenge.objects.all().delete()
    remind_of_identity(asked.pk)
    Letter.objects.update(n_tries=MAIL_TRIES - 1, created_at=now() - timedelta(hours=2))
    assert silence.silent(now()).to_close == []
    with pytest.raises(NotReadyError, match="not reminded"):
        close_unverified(asked.pk, actor=SYSTEM)


def test_nobody_is_reminded_whom_another_controller_writes_to(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 3
    request = passed_on(days_ago=2)
    assert silence.silent(now()) == silence.Silent(to_remind=[], to_close=[])
    with pytest.raises(StateError, match="writes to the person itself"):
        remind_of_identity(request.pk)
    with pytest.raises(NotReadyError, match="may still prove"):
        close_unverified(request.pk, actor=SYSTEM)


@pytest.mark.parametrize("role", [Role.SUBJECT, Role.OPERATOR, Role.DPO, Role.AUDITOR, Role.CONTROLLER])
def test_the_system_alone_closes_for_silence(role: Role) -> None:
    request = reminded()
    with pytest.raises(ForbiddenActorError):
        close_unverified(request.pk, actor=Actor(role=role, id=uuid.uuid4()))


def test_the_silent_are_reminded_once() -> None:
    request = silent_since(25)
    assert silence.silent(now()).to_remind == [request.pk]
    for _ in range(3):
        remind_of_identity(request.pk)
    assert letters_of(request) == ["identity_reminder"]
    assert silence.silent(now()).to_remind == []


def test_whoever_proved_too_little_is_reminded_of_the_rest(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    request = silent_since(25)
    cast.prove(request.pk)
    assert silence.silent(now()).to_remind == []
    DeletionRequest.objects.update(changed_at=now() - timedelta(hours=25))
    assert silence.silent(now()).to_remind == [request.pk]


def test_an_address_that_cannot_be_reached_keeps_no_request_open() -> None:
    request = silent_since(31 * 24)
    IdentityChallenge.objects.update(sent_at=None, n_tries=MAIL_TRIES)
    assert silence.silent(now()) == silence.Silent(to_remind=[request.pk], to_close=[])
    remind_of_identity(request.pk)
    Letter.objects.update(n_tries=MAIL_TRIES, created_at=now() - timedelta(hours=2))
    assert silence.silent(now()) == silence.Silent(to_remind=[], to_close=[request.pk])
    assert close_unverified(request.pk, actor=SYSTEM).state == RequestState.CLOSED_UNVERIFIED


def test_what_another_controller_passed_on_waits_for_no_letter(settings: Settings) -> None:
    settings.IDENTITY_LEVEL, settings.IDENTITY_CODES_PER_HOUR = 3, 1
    request = passed_on()
    # Nothing is mailed at its end, so that no limit of the address puts it off.
    silent_since(0.5)
    assert silence.silent(now()) == silence.Silent(to_remind=[], to_close=[request.pk])
    assert close_unverified(request.pk, actor=SYSTEM).state == RequestState.CLOSED_UNVERIFIED
    assert letters_of(request) == []


def test_a_request_without_a_proof_is_closed_and_the_person_told() -> None:
    request = reminded()
    assert silence.silent(now()).to_close == [request.pk]
    closed = close_unverified(request.pk, actor=SYSTEM)
    assert closed.state == RequestState.CLOSED_UNVERIFIED
    request.refresh_from_db()
    assert request.closed_at is not None
    assert letters_of(request) == ["identity_reminder", "closed_unverified"]
    assert request.pauses.get().until_at is not None
    assert not IdentityChallenge.objects.exists()
    last = PendingEntry.objects.filter(request_id=request.pk).latest("pk")
    assert (last.event_type, json.loads(bytes(last.leaf))["facts"]) == ("request.closed_unverified", {})
    with pytest.raises(StateError):
        close_unverified(request.pk, actor=SYSTEM)


def test_the_day_to_close_is_never_after_the_answer_is_due(settings: Settings) -> None:
    settings.IDENTITY_CLOSE_DAYS = 90
    request = reminded(days_ago=40)
    assert silence.closing_date(DeletionRequest.objects.get()) == request.due_date
    DeletionRequest.objects.update(due_date=now().date() + timedelta(days=1))
    assert silence.silent(now()).to_close == []
    DeletionRequest.objects.update(due_date=now().date())
    assert silence.silent(now()).to_close == [request.pk]
    close_unverified(request.pk, actor=SYSTEM)


def test_a_stranger_who_floods_an_address_with_requests_does_not_flood_it_with_reminders(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 2
    requests = [silent_since(50 - number) for number in range(4)]
    other = silent_since(25, cast.CHARLIE)
    assert silence.silent(now(), limit=2).to_remind == [requests[0].pk, other.pk], "one address holds up no other"
    for request in requests[:2]:
        remind_of_identity(request.pk)
    with pytest.raises(NotReadyError, match="within the hour"):
        remind_of_identity(requests[2].pk)
    remind_of_identity(other.pk)
    Letter.objects.update(created_at=now() - timedelta(hours=2))
    remind_of_identity(requests[2].pk)


def test_closing_letters_are_bounded_the_same_way(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 1
    first, second = reminded(), reminded()
    close_unverified(first.pk, actor=SYSTEM)
    with pytest.raises(NotReadyError, match="within the hour"):
        close_unverified(second.pk, actor=SYSTEM)
    Letter.objects.update(created_at=now() - timedelta(hours=2))
    close_unverified(second.pk, actor=SYSTEM)


def test_letters_to_an_address_never_keep_its_owner_from_a_code(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 1
    remind_of_identity(silent_since(25).pk)
    cast.prove(cast.ask().request.pk)


def test_the_search_costs_the_same_however_many_are_silent() -> None:
    def n_queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            silence.silent(now())
        return len(seen)

    silent_since(25)
    before = n_queries()
    for name in ("a", "b", "c"):
        silent_since(25, f"{name}@example.org")
        reminded(email=f"{name}{name}@example.org")
    assert n_queries() == before == 2


def test_a_person_may_withdraw_or_prove_up_to_the_last_moment() -> None:
    request = reminded()
    cast.prove(request.pk)
    with pytest.raises(StateError):
        close_unverified(request.pk, actor=SYSTEM)
    other = reminded(email=cast.CHARLIE)
    cast.take_back(other.pk)
    with pytest.raises(StateError):
        close_unverified(other.pk, actor=subject_of(other.pk))
