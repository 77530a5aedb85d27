"""Requests of one person are linked once they are proven, and a link never stands in the way."""

import uuid
from collections.abc import Callable

import pytest

from compliance.requests import queries
from compliance.requests.actions.complain import complain
from compliance.requests.errors import InvalidInputError, StateError
from compliance.requests.models import DeletionRequest, LinkReason, RequestLink
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def links() -> list[tuple[str, str, str]]:
    return [(str(row.request_id), str(row.linked_id), row.reason) for row in RequestLink.objects.all()]


# --- Complaints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in RequestState if state not in TERMINAL], ids=str)
def test_what_is_open_takes_no_complaint(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    with pytest.raises(StateError, match="still open"):
        complain(request.pk, text="It knows me.", channel="api")
    assert DeletionRequest.objects.count() == 1


UNPROVEN = {
    "closed without a proof": (cast.mail_code, cast.let_lapse),
    "taken back before a proof": (cast.mail_code, cast.take_back),
    "taken back at once": (cast.take_back,),
}


@pytest.mark.parametrize("steps", UNPROVEN.values(), ids=UNPROVEN.keys())
def test_what_nobody_proved_takes_no_complaint_which_would_keep_the_address(
    steps: tuple[Callable[[uuid.UUID], object], ...],
) -> None:
    request = cast.ask().request
    for step in steps:
        step(request.pk)
    with pytest.raises(StateError, match="Nobody proved"):
        complain(request.pk, text="It knows me.", channel="api")
    assert DeletionRequest.objects.count() == 1


def test_an_empty_complaint_is_none() -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    with pytest.raises(InvalidInputError, match="text"):
        complain(request.pk, text=" ", channel="api")


def test_nobody_complains_about_a_request_that_nobody_can_open_any_more() -> None:
    from datetime import UTC, datetime

    from compliance.ledger.actors import SYSTEM
    from compliance.requests.actions.shred import shred
    from compliance.requests.models import Letter

    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=datetime.now(tz=UTC))
    shred(request.pk, actor=SYSTEM)
    with pytest.raises(StateError, match="new request"):
        complain(request.pk, text="It knows me.", channel="api")


def test_a_complaint_is_a_new_request_linked_to_the_old_one_and_sealed() -> None:
    cast.model_of("spam", cast.ALICE)
    old = cast.brought_to(RequestState.COMPLETED).request
    new = complain(old.pk, text=f"It said {cast.ALICE}.", channel="api").request
    assert (new.state, new.locale, new.regulation) == (RequestState.RECEIVED, old.locale, old.regulation)
    assert links() == [(str(new.pk), str(old.pk), LinkReason.COMPLAINT)]
    assert [note.text for note in queries.notes(new.pk)] == [f"It said {cast.ALICE}."]
    old.refresh_from_db()
    assert old.state == RequestState.COMPLETED
    cast.prove(new.pk)
    assert len(links()) == 1, "linked as a complaint, it is not a duplicate as well"


# --- Duplicates -----------------------------------------------------------------------------------------------------


def test_a_strangers_unproven_request_links_nothing_and_blocks_nothing() -> None:
    """GHSA-qx5f-ghc2-7g5c: requests classed as duplicates lost their way to verify."""
    cast.ask()
    cast.brought_to(RequestState.IDENTITY_PENDING)
    mine = cast.ask().request
    cast.prove(mine.pk)
    mine.refresh_from_db()
    assert mine.state == RequestState.UNDER_REVIEW
    assert links() == []


def test_the_second_request_of_a_person_is_linked_to_the_first_and_goes_its_way() -> None:
    first = cast.brought_to(RequestState.UNDER_REVIEW).request
    second = cast.brought_to(RequestState.UNDER_REVIEW).request
    assert links() == [(str(second.pk), str(first.pk), LinkReason.DUPLICATE)]
    assert "request.linked" in [entry.event_type for entry in queries.timeline(second.pk)]
    cast.decide(second.pk)
    second.refresh_from_db()
    assert second.state == RequestState.APPROVED


def test_requests_of_two_people_are_not_linked() -> None:
    cast.brought_to(RequestState.UNDER_REVIEW)
    cast.brought_to(RequestState.UNDER_REVIEW, cast.CHARLIE)
    assert links() == []
