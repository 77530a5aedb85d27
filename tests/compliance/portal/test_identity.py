"""Who asks: proven in front of staff, and read by a data protection officer, once and never unseen."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.test.utils import override_settings

from compliance.identity import proving
from compliance.identity.methods.manual import LEVEL_BY_MEANS, Means
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role
from compliance.ledger.models import PendingEntry
from compliance.requests import queries
from compliance.requests.actions.shred import shred
from compliance.requests.actions.unveil import UnveilingReason
from compliance.requests.models import DeletionRequest, Letter, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import (
    act,
    address,
    everything,
    messages,
    page_of,
    seen,
    signed_in,
    state_of,
)

pytestmark = pytest.mark.django_db

BAD_MEANS = {
    "none": ({}, "Choose how you checked it"),
    "a copy that was kept": ({"means": "copy_kept"}, "one of the means"),
    "a remark": ({"means": cast.ALICE}, "one of the means"),
}


def n_unveiled(request_id: uuid.UUID) -> int:
    return PendingEntry.objects.filter(request_id=request_id, event_type="request.unveiled").count()


def shredded() -> uuid.UUID:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)
    return request.pk


@pytest.mark.parametrize("name", BAD_MEANS)
def test_an_identity_is_not_confirmed_without_one_of_the_means(name: str) -> None:
    data, error = BAD_MEANS[name]
    request_id = cast.brought_to(RequestState.IDENTITY_PENDING).request.pk
    bob = signed_in(cast.bob())
    before = everything()
    response = bob.post(address("confirm_identity", request_id), data)
    page = page_of(response)
    assert everything() == before
    assert (response.status_code, page.problems) == (400, [])
    assert error in page.text and page.all("details", open="")
    assert cast.MARK not in page.html


@override_settings(IDENTITY_LEVEL=3)
def test_means_that_prove_nothing_more_are_explained() -> None:
    request_id = cast.ask().request.pk
    bob = signed_in(cast.bob())
    page = act(bob, "confirm_identity", request_id, {"means": Means.CALLED_BACK.value})
    assert "Level proven so far: 2" in page.text and "Level 3 is needed" in page.text
    before = state_of(request_id)
    page = act(bob, "confirm_identity", request_id, {"means": Means.CUSTOMER_ACCOUNT.value})
    assert "That level is proven already" in page.text
    assert state_of(request_id) == before == (RequestState.RECEIVED, before[1])


@pytest.mark.parametrize("user", [cast.bob, cast.dana])
@pytest.mark.parametrize("means", Means)
def test_staff_confirm_an_identity_and_the_request_is_under_review(means: Means, user: Callable[[], User]) -> None:
    request_id = cast.brought_to(RequestState.IDENTITY_PENDING).request.pk
    page = act(signed_in(user()), "confirm_identity", request_id, {"means": means.value})
    assert state_of(request_id)[0] == RequestState.UNDER_REVIEW
    assert f"level {LEVEL_BY_MEANS[means]}: checked by staff" in page.text
    assert "confirm-identity" not in page.actions()


def test_what_is_still_needed_is_shown_to_everybody_and_the_form_to_staff() -> None:
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    for user in (cast.bob(), cast.dana(), cast.audrey()):
        page = seen(signed_in(user), address("request", request.pk))
        assert "Level proven so far: none" in page.text and proving.still_needed(request) in page.text
        assert ("confirm-identity" in page.actions()) == (user != cast.audrey())
    groups = seen(signed_in(cast.bob()), address("request", request.pk)).all("optgroup")
    assert [group.attributes["label"] for group in groups] == ["Proves level 2", "Proves level 3"]


@pytest.mark.parametrize("state", RequestState)
def test_the_form_to_read_who_it_is_is_there_for_a_dpo_alone(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(state).request.pk
    url = f"{address('request', request_id)}?reload=off"
    shown = {user.username: "unveil" in seen(signed_in(user), url).actions() for user in everybody()}
    assert shown == {"bob": False, "dana": True, "audrey": False}


def everybody() -> list[User]:
    return [cast.bob(), cast.dana(), cast.audrey()]


@pytest.mark.parametrize("user", [cast.bob, cast.audrey])
def test_nobody_but_a_dpo_reads_it(user: Callable[[], User]) -> None:
    request_id = cast.ask().request.pk
    response = signed_in(user()).post(address("unveil", request_id), {"reason": "audit"})
    assert response.status_code == 403
    assert cast.MARK not in response.content.decode()
    assert n_unveiled(request_id) == 0


def test_reading_an_address_never_reveals_who_it_is() -> None:
    request_id = cast.ask().request.pk
    dana = signed_in(cast.dana())
    for method in (dana.get, dana.head):
        response = method(f"{address('unveil', request_id)}?reason=audit", follow=True)
        assert cast.MARK not in response.content.decode()
    assert n_unveiled(request_id) == 0


def test_an_identity_that_was_shredded_cannot_be_read() -> None:
    request_id, dana = shredded(), signed_in(cast.dana())
    assert "unveil" not in seen(dana, address("request", request_id)).actions()
    assert "nobody knows any more" in act(dana, "unveil", request_id, {"reason": "audit"}).text
    assert n_unveiled(request_id) == 0


def test_an_identity_that_does_not_open_is_a_sentence() -> None:
    request_id = cast.ask().request.pk
    SubjectVault.objects.update(wrapped_key=b"\0" * 60)
    page = act(signed_in(cast.dana()), "unveil", request_id, {"reason": "audit"})
    assert page.all("li", role="alert") and "does not open" in page.text
    assert n_unveiled(request_id) == 0


@pytest.mark.parametrize("reason", UnveilingReason)
def test_a_dpo_reads_who_it_is_once_and_the_ledger_says_so(reason: UnveilingReason) -> None:
    request_id = cast.ask().request.pk
    dana = signed_in(cast.dana())
    response = dana.post(address("unveil", request_id), {"reason": reason.value})
    page = page_of(response)
    assert (response.status_code, page.problems) == (200, [])
    assert cast.ALICE in page.text and "was recorded in the ledger" in page.text and reason.label in page.text
    last = queries.timeline(request_id)[-1]
    assert (last.event_type, last.facts) == ("request.unveiled", {"reason": reason.value})
    assert last.actor_id == str(actors.staff(cast.dana(), Role.DPO).id)
    later = seen(dana, address("request", request_id))
    assert cast.MARK not in later.html and "Identity read" in later.text


def kept_in_sessions() -> str:
    """What all sessions hold, opened."""
    return repr([(row.session_data, row.get_decoded()) for row in Session.objects.all()])


def test_what_was_read_is_left_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    request_id = cast.ask().request.pk
    client = Client()
    client.force_login(cast.dana())
    rows = repr(everything())
    with caplog.at_level("DEBUG"):
        response = client.post(address("unveil", request_id), {"reason": "audit"})
        after = client.get(address("request", request_id))
    assert cast.ALICE in response.content.decode(), "else this test would find nothing anywhere"
    assert "no-store" in response["Cache-Control"] and "private" in response["Cache-Control"]
    traces = {
        "headers": repr(response.headers) + repr(after.headers),
        "cookies": response.cookies.output() + client.cookies.output(),
        "sessions": kept_in_sessions(),
        "messages": repr(messages(response)) + repr(messages(after)),
        "logs": caplog.text + repr([vars(record) for record in caplog.records if record.name != "django.db.backends"]),
        "rows": repr(everything()),
        "the next page": after.content.decode(),
    }
    assert rows != traces["rows"], "the entry is a row"
    assert [name for name, trace in traces.items() if cast.MARK in trace] == []


def test_a_closed_request_says_until_when_it_is_known_whose_it_is() -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    url = address("request", request.pk)
    text = seen(signed_in(cast.audrey()), url).text
    assert "Identity kept until" in text and "then it is shredded" in text
    moved = datetime.fromisoformat("2020-01-02T00:00:00+00:00")
    DeletionRequest.objects.filter(pk=request.pk).update(closed_at=moved)
    assert "Identity due to be shredded since 3 Apr 2020" in seen(signed_in(cast.audrey()), url).text


def test_an_identity_that_was_never_proven_goes_at_once() -> None:
    request_id = cast.brought_to(RequestState.CLOSED_UNVERIFIED).request.pk
    assert "Identity due to be shredded" in seen(signed_in(cast.bob()), address("request", request_id)).text


def test_an_open_request_names_no_day_for_it() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    text = seen(signed_in(cast.bob()), address("request", request_id)).text
    assert "Identity kept until" not in text and "shredded" not in text


def test_a_shredded_request_says_so() -> None:
    request_id = shredded()
    for user in everybody():
        page = seen(signed_in(user), address("request", request_id))
        assert page.problems == []
        assert "nobody can tell any more whose request this was" in page.text and "not kept" in page.text
