"""The dates of a request as its rows tell them: counted at receipt, paused, extended once and only when told."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from compliance.identity import proving
from compliance.ledger import actors
from compliance.ledger.actors import Role, subject_of
from compliance.requests import clocks, queries
from compliance.requests.actions import extend as extending
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.ask_question import MAX_CHARACTERS, ask_question
from compliance.requests.actions.confirm_by_controller import confirm_by_controller
from compliance.requests.actions.extend import extend
from compliance.requests.actions.submit import submit
from compliance.requests.clock import Clock
from compliance.requests.deadlines import deadlines_of
from compliance.requests.errors import ForbiddenActorError, InvalidInputError, StateError
from compliance.requests.models import DeletionRequest, Letter, Pause, SealedNote
from compliance.requests.regimes import regime_named
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def received(days_ago: int) -> DeletionRequest:
    """A request under review whose period began so many days ago."""
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    request.pauses.all().delete()
    request.received_at = datetime.now(tz=UTC) - timedelta(days=days_ago)
    clocks.begin(request)
    request.save()
    return request


def dpo() -> actors.Actor:
    return actors.staff(cast.dana(), Role.DPO)


def events(request: DeletionRequest) -> list[str]:
    return [entry.event_type for entry in queries.timeline(request.pk)]


# --- Extending ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SUBJECT, Role.SYSTEM, Role.CONTROLLER], ids=str)
def test_only_the_dpo_extends(role: Role) -> None:
    request = received(days_ago=1)
    with pytest.raises(ForbiddenActorError):
        extend(request.pk, actor=actors.Actor(role=role, id=uuid.uuid4()), reason="complexity")


def test_a_reason_that_the_law_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="complexity, number_of_requests"):
        extend(received(days_ago=1).pk, actor=dpo(), reason="holidays")


def test_after_the_first_period_nothing_is_extended() -> None:
    request = received(days_ago=45)
    with pytest.raises(StateError, match="found a later one"):
        extend(request.pk, actor=dpo(), reason="complexity")
    assert not request.letters.filter(kind=Letter.Kind.EXTENSION).exists()


def test_a_period_is_extended_once() -> None:
    request = received(days_ago=1)
    extend(request.pk, actor=dpo(), reason="complexity")
    with pytest.raises(StateError, match="once"):
        extend(request.pk, actor=dpo(), reason="number_of_requests")
    assert events(request).count("request.extended") == 1


@pytest.mark.parametrize("state", sorted(TERMINAL), ids=str)
def test_a_closed_request_is_not_extended(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    with pytest.raises(StateError):
        extend(cast.brought_to(state).request.pk, actor=dpo(), reason="complexity")


@pytest.mark.parametrize("state", sorted(proving.WAITING), ids=str)
def test_no_notice_of_an_extension_goes_to_an_address_that_nobody_has_proven(state: RequestState) -> None:
    request = cast.brought_to(state).request
    with pytest.raises(StateError, match="could reach a stranger"):
        extend(request.pk, actor=dpo(), reason="complexity")
    assert "request.extended" not in events(request)
    assert not request.letters.exists()


def test_what_another_controller_passed_on_is_extended_by_that_one_alone() -> None:
    request = submit(identifier_kind="email", identifier_value=cast.ALICE, channel="opendsr").request
    confirm_by_controller(request.pk, actor=actors.controller(uuid.uuid4()))
    with pytest.raises(StateError, match="it alone extends"):
        extend(request.pk, actor=dpo(), reason="complexity")
    request.refresh_from_db()
    assert (request.state, request.extension_reason) == (RequestState.UNDER_REVIEW, "")
    assert "request.extended" not in events(request)


def test_pages_learn_before_whether_a_period_can_be_extended() -> None:
    request, now = received(days_ago=1), datetime.now(tz=UTC)
    assert extending.refusal(request, now) is None
    assert "later one" in (extending.refusal(request, now + timedelta(days=60)) or "")
    request.extension_reason = "complexity"
    assert "once" in (extending.refusal(request, now) or "")


def test_the_date_moves_when_the_notice_went_out_and_not_before() -> None:
    request = received(days_ago=1)
    first = request.due_date
    extend(request.pk, actor=dpo(), reason="complexity")
    request.refresh_from_db()
    assert (request.due_date, request.extension_reason) == (first, "complexity")
    extending.notice_sent(request, datetime.now(tz=UTC))
    request.refresh_from_db()
    assert request.due_date == clocks.deadlines(request).extended_target.due_date > first


def test_a_notice_that_came_too_late_extends_nothing() -> None:
    request = received(days_ago=1)
    first = request.due_date
    extend(request.pk, actor=dpo(), reason="complexity")
    with pytest.raises(StateError, match="too late"):
        extending.notice_sent(request, datetime.now(tz=UTC) + timedelta(days=60))
    request.refresh_from_db()
    assert request.due_date == first


# --- Questions ------------------------------------------------------------------------------------------------------

BAD_TEXTS = {"nothing": "", "space": " \n\t ", "too much": "x" * (MAX_CHARACTERS + 1), "a null": "a\x00b"}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_a_question_must_be_one(text: str) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    with pytest.raises(InvalidInputError, match="question"):
        ask_question(request.pk, actor=dpo(), question=text)
    assert not SealedNote.objects.exists()


def test_nobody_else_answers_for_the_person() -> None:
    request = cast.brought_to(RequestState.INFO_REQUESTED).request
    with pytest.raises(ForbiddenActorError):
        answer_question(request.pk, actor=actors.staff(cast.audrey(), Role.AUDITOR), answer="Yes.")


def test_the_clock_is_shown_both_ways_while_the_person_is_waited_for() -> None:
    request = received(days_ago=3)
    due = request.due_date
    cast.ask_back(request.pk)
    request.refresh_from_db()
    asked = clocks.deadlines(request).current
    assert (asked.due_date, asked.paused_due_date) == (due, None)
    answer_question(request.pk, actor=subject_of(request.pk), answer="As Ally.")
    request.refresh_from_db()
    answered = clocks.deadlines(request).current
    assert answered.due_date == due == request.due_date
    assert answered.paused_due_date is not None
    assert not any("0 days" in reason for reason in clocks.deadlines(request).because)
    assert not Pause.objects.filter(until_at=None).exists()


def test_question_and_answer_are_kept_sealed_and_out_of_the_ledger() -> None:
    request = cast.brought_to(RequestState.INFO_REQUESTED).request
    assert queries.open_question(request) == cast.QUESTION
    answer_question(request.pk, actor=subject_of(request.pk), answer=cast.ALICE)
    assert [note.text for note in queries.notes(request.pk)] == [cast.QUESTION, cast.ALICE]
    for row in SealedNote.objects.all():
        assert cast.MARK.encode() not in bytes(row.sealed_text)
        assert b"name" not in bytes(row.sealed_text)
    facts = [entry.facts for entry in queries.timeline(request.pk)]
    assert cast.MARK not in repr(facts)
    assert cast.QUESTION not in repr(facts)


def test_a_withdrawn_request_waits_for_nothing() -> None:
    request = cast.brought_to(RequestState.INFO_REQUESTED).request
    cast.take_back(request.pk)
    assert not Pause.objects.filter(until_at=None).exists()


# --- Receipt --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("regulation", "least", "most"), [("gdpr", 28, 40), ("ccpa", 45, 45)])
def test_each_law_counts_in_its_own_way(regulation: str, least: int, most: int) -> None:
    request = submit(identifier_kind="email", identifier_value=cast.ALICE, regulation=regulation).request
    n_days = (request.due_date - clocks.deadlines(request).received_date).days
    assert least <= n_days <= most


def test_the_day_of_receipt_is_that_of_the_controllers_zone(settings: Settings) -> None:
    settings.TIME_ZONE, settings.HOLIDAYS = "Europe/Berlin", "DE"
    request = DeletionRequest(regulation="gdpr", received_at=datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
    clocks.begin(request)
    assert request.due_date.isoformat() == "2026-05-04"


def test_a_calendar_that_nobody_has_is_refused_at_receipt(settings: Settings) -> None:
    settings.HOLIDAYS = "XX"
    with pytest.raises(InvalidInputError, match="country"):
        cast.ask()
    assert not DeletionRequest.objects.exists()


# --- At receipt -----------------------------------------------------------------------------------------------------


@given(
    minutes=st.integers(0, 8 * 365 * 24 * 60),
    regulation=st.sampled_from(["gdpr", "ccpa"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Beirut"]),
    place=st.sampled_from(["DE", "DE-BY", "US-CA"]),
)
def test_what_is_counted_once_a_day_is_what_each_request_would_count(
    minutes: int, regulation: str, zone: str, place: str
) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    request = DeletionRequest(regulation=regulation, received_at=at)
    with override_settings(TIME_ZONE=zone, HOLIDAYS=place):
        clocks.begin(request)
        clock = Clock(regime=regime_named(regulation), calendar=clocks.calendar(), zone=zone, received_at=at)
    counted = deadlines_of(clock)
    assert (request.deadlines, request.due_date) == (counted.to_dict(), counted.current.due_date)


def test_the_dates_of_one_request_are_its_own() -> None:
    first, second = (
        DeletionRequest(regulation="gdpr", received_at=datetime(2026, 5, day, tzinfo=UTC)) for day in (4, 4)
    )
    clocks.begin(first)
    clocks.begin(second)
    first.deadlines["clock"]["received_at"] = "changed"
    first.deadlines["because"] = []
    assert second.deadlines["clock"]["received_at"] == "2026-05-04T00:00:00+00:00"
    assert second.deadlines["because"]
