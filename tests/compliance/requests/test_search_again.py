"""Staff let the data sources be searched once more."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Actor, Role, subject_of
from compliance.ledger.models import PendingEntry
from compliance.registry.models import DataSource, RegisteredModel
from compliance.requests import queries
from compliance.requests.actions.search_again import SEARCHABLE, search_again
from compliance.requests.actions.search_sources import search_sources
from compliance.requests.errors import ForbiddenActorError, NotFoundError, NotReadyError, StateError
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast
from tests.workers import recorder

pytestmark = pytest.mark.django_db


def declare(model: RegisteredModel, location: str) -> None:
    """Say that the persons behind the model's records stand in this file."""
    declaration = {"kind": "csv", "location": location, "record_columns": ["id"], "subjects": {"mail": "email"}}
    DataSource.objects.filter(pk=model.data_source_id).update(declaration=declaration)


def bob() -> Actor:
    return actors.staff(cast.bob(), Role.OPERATOR)


OTHERS = {
    "an auditor": lambda: actors.staff(cast.audrey(), Role.AUDITOR),
    "the system": lambda: SYSTEM,
    "the person": lambda: subject_of(uuid.uuid4()),
}


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_but_staff_searches_again(name: str) -> None:
    declare(cast.model_of("spam", cast.ALICE), "persons.csv")
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    with pytest.raises(ForbiddenActorError):
        search_again(request_id, actor=OTHERS[name]())


def test_a_request_that_is_not_there_is_not_searched_for() -> None:
    with pytest.raises(NotFoundError):
        search_again(uuid.uuid4(), actor=bob())


@pytest.mark.parametrize("state", [state for state in RequestState if state not in SEARCHABLE])
def test_a_request_without_proof_or_at_its_end_is_not_searched_for(state: RequestState) -> None:
    declare(cast.model_of("spam", cast.ALICE), "persons.csv")
    request_id = cast.brought_to(state).request.pk
    with pytest.raises(StateError):
        search_again(request_id, actor=bob())


def test_without_a_declared_source_there_is_nothing_to_do() -> None:
    cast.model_of("spam", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    with pytest.raises(NotReadyError):
        search_again(request_id, actor=bob())


def test_a_worker_is_sent_after_the_commit_and_nothing_is_recorded(
    settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    declare(cast.model_of("spam", cast.ALICE), "persons.csv")
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    n_entries = PendingEntry.objects.count()
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    recorder.SENT.clear()
    with django_capture_on_commit_callbacks() as callbacks:
        search_again(request_id, actor=bob())
    assert recorder.SENT == []
    for callback in callbacks:
        callback()
    assert [("search_sources", request_id)] == recorder.SENT
    assert PendingEntry.objects.count() == n_entries


def test_a_search_that_was_lost_on_its_way_is_sent_again(tmp_path: Path, settings: Settings) -> None:
    declare(cast.model_of("spam", cast.ALICE), str(tmp_path / "persons.csv"))
    undeclared = cast.model_of("old", cast.ALICE).data_source
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    search_sources(request.pk)
    kept = {"n_found": 1, "n_unknown": 0, "searched_at": request.received_at}
    request.searches.create(data_source=undeclared, **kept)
    later = datetime.now(tz=UTC) + settings.SWEEP_GRACE + timedelta(seconds=1)
    assert queries.lost_work(later).searches == []
    search_again(request.pk, actor=bob())
    assert queries.lost_work(later).searches == [request.pk]
    assert [row.data_source_id for row in request.searches.all()] == [undeclared.pk], "nobody searches that one again"
    search_sources(request.pk)
    assert queries.lost_work(later).searches == []


def test_no_closed_request_is_searched_for() -> None:
    assert not SEARCHABLE & TERMINAL
