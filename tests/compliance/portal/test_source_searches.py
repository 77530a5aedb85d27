"""What was found of the person in the data sources, on the page of a request, and searching again."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from compliance.registry.models import DataSource
from compliance.requests.actions.search_again import SEARCHABLE
from compliance.requests.actions.search_sources import search_sources
from compliance.requests.models import DeletionRequest, SourceSearch
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, seen, signed_in, state_of
from tests.compliance.requests.test_search_again import declare
from tests.workers import recorder

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    """The source spam-rows. By lineage, spam-0 and spam-2 are Alice's; the file holds spam-0, spam-9 and spam-10."""
    settings.SOURCES_DIR = tmp_path
    rows = ["id,mail", f"spam-0,{cast.ALICE}", f"spam-9,{cast.ALICE}", f"spam-10,{cast.ALICE}"]
    path = tmp_path / "persons.csv"
    path.write_text("\n".join(rows) + "\n")
    declare(cast.model_of("spam", cast.ALICE), path.name)
    return path


def reviewed() -> DeletionRequest:
    return cast.brought_to(RequestState.UNDER_REVIEW).request


@pytest.mark.parametrize("state", [*TERMINAL, RequestState.RECEIVED, RequestState.IDENTITY_PENDING])
def test_nobody_is_looked_for_before_the_proof_and_after_the_end(state: RequestState, file: Path) -> None:
    request_id = cast.brought_to(state).request.pk
    dana = signed_in(cast.dana())
    assert "search-again" not in seen(dana, address("request", request_id)).actions()
    before = state_of(request_id)
    assert "the sources are not searched for it now" in act(dana, "search_again", request_id).text
    assert state_of(request_id) == before


def test_without_a_declared_source_there_is_nothing_to_search() -> None:
    cast.model_of("spam", cast.ALICE)
    request_id = reviewed().pk
    bob = signed_in(cast.bob())
    page = seen(bob, address("request", request_id))
    assert "Data sources" not in page.text and "search-again" not in page.actions()
    assert "nothing to search" in act(bob, "search_again", request_id).text


def test_an_unsearched_source_stops_a_refusal_for_want_of_identification(file: Path) -> None:
    request = reviewed()
    dana = signed_in(cast.dana())
    page = seen(dana, address("request", request.pk))
    assert "spam-rows – – not yet" in page.text
    assert "For Art. 11, every declared data source must have been searched" in page.text
    page = act(dana, "refuse", request.pk, {"reason": "art11"})
    assert "The data source spam-rows was not searched for this person" in page.text
    search_sources(request.pk)
    assert "Refused." in act(dana, "refuse", request.pk, {"reason": "art11"}).text


def test_records_that_no_lineage_knows_are_an_alarm(file: Path) -> None:
    request = reviewed()
    search_sources(request.pk)
    for user in (cast.bob(), cast.dana(), cast.audrey()):
        page = seen(signed_in(user), address("request", request.pk))
        assert page.problems == []
        assert "2 records that no model’s lineage knows." in page.text
        assert "spam-rows 3 2" in page.text and "could not be searched" not in page.text
        assert ("search-again" in page.actions()) == (user != cast.audrey())
        assert page.all("p", role="alert") and "persons.csv" not in page.html


def test_a_source_that_could_not_be_read_is_an_alarm(file: Path) -> None:
    request = reviewed()
    file.unlink()
    search_sources(request.pk)
    page = seen(signed_in(cast.bob()), address("request", request.pk))
    assert "1 source could not be searched." in page.text
    assert "spam-rows not searched UnreadableSourceError –" in page.text and page.problems == []


def test_where_all_is_known_there_is_no_alarm(file: Path) -> None:
    request = reviewed()
    file.write_text(f"id,mail\nspam-0,{cast.ALICE}\n")
    search_sources(request.pk)
    page = seen(signed_in(cast.bob()), address("request", request.pk))
    assert "spam-rows 1 none" in page.text and not page.all("p", role="alert")


@pytest.mark.parametrize("state", sorted(SEARCHABLE))
def test_staff_send_a_worker_to_search_again(
    state: RequestState,
    file: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    request_id = cast.brought_to(state).request.pk
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    recorder.SENT.clear()
    with django_capture_on_commit_callbacks(execute=True):
        page = act(signed_in(cast.bob()), "search_again", request_id)
    assert "A worker is searching." in page.text
    assert [("search_sources", request_id)] == recorder.SENT


def cost_of(n_sources: int) -> int:
    """How many queries the page takes once so many sources were searched, and as many not yet."""
    person = f"person.{n_sources}@example.org"
    request = cast.brought_to(RequestState.UNDER_REVIEW, person).request
    for number in range(n_sources):
        declare(cast.model_of(f"searched-{n_sources}-{number}", cast.CHARLIE), "persons.csv")
    search_sources(request.pk)
    for number in range(n_sources):
        declare(cast.model_of(f"new-{n_sources}-{number}", cast.CHARLIE), "persons.csv")
    assert SourceSearch.objects.filter(request=request).count() >= n_sources
    # Without the scope, which costs a query for each model.
    client = signed_in(cast.audrey())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        seen(client, address("request", request.pk))
    return len(queries)


def test_it_costs_the_same_number_of_queries_with_one_source_and_with_six(file: Path) -> None:
    DataSource.objects.update(declaration=None)
    assert cost_of(1) == cost_of(6)
