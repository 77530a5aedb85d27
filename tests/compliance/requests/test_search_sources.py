"""A worker looks for the person in the declared sources: what it found is counted, and a refusal under Art. 11 needs it."""

import uuid
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.ledger import actors
from compliance.ledger.actors import Role
from compliance.registry.models import DataSource, RegisteredModel
from compliance.requests import queries
from compliance.requests.actions.refuse import refuse
from compliance.requests.actions.search_sources import search_sources
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.models import DeletionRequest, SourceSearch
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(tmp_path: Path, settings: Settings) -> DataSource:
    """Records spam-0 and spam-2 are Alice's by lineage; the file holds spam-0 and one more."""
    settings.SOURCES_DIR = tmp_path
    rows = ["id,mail", f"spam-0,{cast.ALICE.upper()}", "spam-1,nobody@example.org", f"spam-9,{cast.ALICE}"]
    (tmp_path / "persons.csv").write_text("\n".join(rows) + "\n")
    model = cast.model_of("spam", cast.ALICE)
    return declare(model, "persons.csv")


def declare(model: RegisteredModel, location: str) -> DataSource:
    declaration = {
        "kind": "csv",
        "location": location,
        "record_columns": ["id"],
        "subjects": {"mail": "email"},
    }
    DataSource.objects.filter(pk=model.data_source_id).update(declaration=declaration)
    return DataSource.objects.get(pk=model.data_source_id)


def reviewed() -> DeletionRequest:
    return cast.brought_to(RequestState.UNDER_REVIEW).request


def say_unidentifiable(request: DeletionRequest) -> None:
    refuse(request.pk, actor=actors.staff(cast.dana(), Role.DPO), reason="art11")


def test_a_request_that_is_not_there_is_not_searched_for() -> None:
    with pytest.raises(NotFoundError):
        search_sources(uuid.uuid4())


def test_nobody_is_called_unidentifiable_before_anybody_looked(source: DataSource) -> None:
    request = reviewed()
    with pytest.raises(NotReadyError, match="not searched"):
        say_unidentifiable(request)
    search_sources(request.pk)
    say_unidentifiable(request)


def test_a_source_that_cannot_be_read_was_not_searched(source: DataSource, tmp_path: Path) -> None:
    request = reviewed()
    (tmp_path / "persons.csv").unlink()
    (row,) = search_sources(request.pk)
    assert (row.failure, row.n_found) == ("UnreadableSourceError", 0)
    with pytest.raises(NotReadyError):
        say_unidentifiable(request)


def test_it_counts_what_is_there_and_what_no_lineage_knows(source: DataSource) -> None:
    (row,) = search_sources(reviewed().pk)
    assert (row.n_found, row.n_unknown, row.failure) == (2, 1, "")


def test_a_second_search_takes_the_place_of_the_first(source: DataSource, tmp_path: Path) -> None:
    request = reviewed()
    search_sources(request.pk)
    (tmp_path / "persons.csv").write_text("id,mail\n")
    search_sources(request.pk)
    assert SourceSearch.objects.get().n_found == 0


def test_nothing_about_the_person_is_stored_or_logged(source: DataSource, caplog: pytest.LogCaptureFixture) -> None:
    search_sources(reviewed().pk)
    assert cast.MARK not in repr(list(SourceSearch.objects.values())) + caplog.text


def test_a_search_whose_message_was_lost_is_sent_again(source: DataSource, settings: Settings) -> None:
    from datetime import UTC, datetime, timedelta

    request = reviewed()
    later = datetime.now(tz=UTC) + settings.SWEEP_GRACE + timedelta(seconds=1)
    assert queries.lost_work(later).searches == [request.pk]
    search_sources(request.pk)
    assert queries.lost_work(later).searches == []


def test_a_source_without_a_declaration_has_nothing_to_search() -> None:
    cast.model_of("spam", cast.ALICE)
    request = reviewed()
    assert search_sources(request.pk) == []
    say_unidentifiable(request)
