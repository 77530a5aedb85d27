"""When identities go: not a day early, not while they are needed, and by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from pytest_django import Settings

from compliance.requests import retention
from compliance.requests.actions.shred import destroy_openings
from compliance.requests.models import (
    UNPROVEN,
    DeletionRequest,
    Letter,
    LinkReason,
    RequestLink,
    SealedNote,
    SubjectVault,
)
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast
from workers import sweep

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def closed(state: RequestState, days_ago: float, email: str = cast.ALICE) -> DeletionRequest:
    """A request that was closed so many days before now, with its letters sent."""
    request = cast.brought_to(state, email).request
    Letter.objects.filter(request=request).update(sent_at=NOW)
    closed_at = NOW - timedelta(days=days_ago)
    DeletionRequest.objects.filter(pk=request.pk).update(closed_at=closed_at)
    return request


@pytest.fixture(autouse=True)
def _days(settings: Settings) -> None:
    settings.IDENTITY_RETENTION_DAYS = 92


@pytest.mark.parametrize("state", [state for state in RequestState if state not in TERMINAL], ids=str)
def test_an_open_request_is_never_due(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    cast.brought_to(state)
    assert retention.due(NOW + timedelta(days=10_000)) == []
    assert not retention.schedule().exists()


@pytest.mark.parametrize("state", sorted(TERMINAL - {RequestState.CLOSED_UNVERIFIED}), ids=str)
def test_a_closed_request_is_not_due_until_its_time_and_then_is(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    request = closed(state, 92)
    assert retention.due(NOW - timedelta(seconds=1)) == []
    assert retention.due(NOW) == [request.pk]
    assert retention.schedule().values_list("shred_at", flat=True).get() == NOW


def test_a_request_whose_person_was_never_proven_is_due_when_it_is_closed() -> None:
    request = closed(RequestState.CLOSED_UNVERIFIED, 0)
    assert retention.due(NOW - timedelta(seconds=1)) == []
    assert retention.due(NOW) == [request.pk]
    assert retention.schedule().values_list("shred_at", flat=True).get() == NOW


def test_whoever_takes_back_what_nobody_proved_is_forgotten_at_once() -> None:
    """The address may belong to somebody who never asked."""
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    cast.take_back(request.pk)
    DeletionRequest.objects.filter(pk=request.pk).update(closed_at=NOW)
    assert retention.due(NOW - timedelta(seconds=1)) == []
    assert retention.due(NOW) == [request.pk]
    assert retention.schedule().values_list("shred_at", flat=True).get() == NOW


@pytest.mark.parametrize("level", [0, 1, 3])
@pytest.mark.parametrize("state", sorted(TERMINAL), ids=str)
def test_rows_and_queries_agree_on_what_nobody_proved(state: RequestState, level: int) -> None:
    request = cast.ask().request
    DeletionRequest.objects.filter(pk=request.pk).update(state=state, identity_level=level, closed_at=NOW)
    request.refresh_from_db()
    expected = state == RequestState.CLOSED_UNVERIFIED or (state, level) == (RequestState.WITHDRAWN, 0)
    assert retention.is_unproven(request) is expected
    assert DeletionRequest.objects.filter(UNPROVEN).exists() is expected


def test_a_letter_that_is_owed_is_waited_for_until_it_is_given_up() -> None:
    request = closed(RequestState.REFUSED, 100)
    Letter.objects.update(sent_at=None)
    assert retention.due(NOW) == []
    Letter.objects.update(n_tries=MAIL_TRIES)
    assert retention.due(NOW) == [request.pk]


def test_a_request_that_an_open_one_is_linked_to_is_kept_until_that_one_is_closed() -> None:
    request, complaint = closed(RequestState.REFUSED, 100), cast.ask().request
    RequestLink.objects.create(request=complaint, linked=request, reason=LinkReason.COMPLAINT)
    assert retention.due(NOW) == []
    DeletionRequest.objects.filter(pk=complaint.pk).update(closed_at=NOW)
    assert retention.due(NOW) == [request.pk]


def test_the_schedule_shows_what_is_next_first_and_nothing_twice() -> None:
    late = closed(RequestState.REFUSED, 10, cast.CHARLIE)
    soon = closed(RequestState.WITHDRAWN, 50)
    assert [row.pk for row in retention.schedule()] == [soon.pk, late.pk]
    destroy_openings(SubjectVault.objects.get(request=soon))
    assert [row.pk for row in retention.schedule()] == [late.pk]


def test_no_more_than_the_limit_is_done_at_once_and_the_oldest_first() -> None:
    requests = [closed(RequestState.WITHDRAWN, 100 + number) for number in range(3)]
    assert retention.due(NOW, limit=2) == [requests[2].pk, requests[1].pk]


def test_as_many_queries_are_made_however_many_rows_there_are(django_assert_num_queries: object) -> None:
    for number in range(3):
        closed(RequestState.WITHDRAWN, 100 + number)
    with django_assert_num_queries(2):  # type: ignore[operator]  # a fixture without a type
        retention.due(NOW)


def test_a_sweep_shreds_what_is_due_and_nothing_else() -> None:
    due, early = closed(RequestState.REFUSED, 0), closed(RequestState.REFUSED, 0, cast.CHARLIE)
    DeletionRequest.objects.filter(pk=due.pk).update(closed_at=datetime.now(tz=UTC) - timedelta(days=93))
    DeletionRequest.objects.filter(pk=early.pk).update(closed_at=datetime.now(tz=UTC) - timedelta(days=91))
    SealedNote.objects.create(request=due, kind=SealedNote.Kind.ANSWER, sealed_text=b"x", created_at=NOW)
    sweep.sweep()
    shredded = SubjectVault.objects.exclude(shredded_at=None)
    assert [vault.request_id for vault in shredded] == [due.pk]
    assert not SealedNote.objects.exists()
    cast.run_ledger()
    call_command("shred", "--verify", str(due.pk))
    sweep.sweep()
    assert shredded.filter(shredded_at=F("shredded_at")).count() == 1
