"""Exceptions and holds of single models, through the page."""

import re
import uuid

import pytest
from django.urls import reverse

from compliance.ledger.actors import Role
from compliance.registry.models import RegisteredModel
from compliance.requests import queries
from compliance.requests.models import DeletionRequest, Target
from compliance.requests.states import RequestState, TargetState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, approval, everything, page_of, seen, signed_in, state_of

pytestmark = pytest.mark.django_db

WORDS = f"A suit of {cast.ALICE} is pending.\nIt was brought in May."
GOOD = {
    "except_model": {"reason": "art17_3_e", "words": WORDS},
    "include_model": {},
    "hold_model": {"reason": "legal_claims"},
    "release_model": {},
}
#: The states in which a model that nothing was decided on can be acted on.
OPEN = {
    "except_model": {RequestState.UNDER_REVIEW, RequestState.ATTENTION},
    "include_model": set(),
    "hold_model": {RequestState.UNDER_REVIEW, RequestState.EXECUTING, RequestState.ATTENTION},
    "release_model": set(),
}
WRONG = [
    pytest.param(state, name, id=f"{name} {state}")
    for name, states in OPEN.items()
    for state in RequestState
    if state not in states
]


def ranking() -> uuid.UUID:
    return RegisteredModel.objects.get(name="ranking").pk


def in_review() -> uuid.UUID:
    """A request under review about two models."""
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("ranking", cast.ALICE)
    return cast.brought_to(RequestState.UNDER_REVIEW).request.pk


def target(request_id: uuid.UUID) -> Target:
    return Target.objects.get(request=request_id, model=ranking())


@pytest.mark.parametrize(("state", "name"), WRONG)
def test_an_act_in_the_wrong_state_is_explained_and_changes_nothing(state: RequestState, name: str) -> None:
    cast.model_of("ranking", cast.ALICE)
    request_id = cast.brought_to(state).request.pk
    client = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR))
    word = name.removesuffix("_model")
    assert word not in seen(client, f"{address('request', request_id)}?reload=off").actions()
    before = state_of(request_id)
    page = act(client, name, request_id, GOOD[name], model_id=ranking())
    assert page.all("li", role="alert")
    assert state_of(request_id) == before


@pytest.mark.parametrize("name", GOOD)
def test_a_model_that_is_not_registered_is_said_not_to_be(name: str) -> None:
    request_id = in_review()
    before = state_of(request_id)
    page = act(signed_in(cast.dana()), name, request_id, GOOD[name], model_id=uuid.uuid4())
    assert page.all("li", role="alert") and state_of(request_id) == before


BAD = {
    "exception without a reason": ("except_model", {"words": "x"}, "reason", "cannot be excepted without one"),
    "exception for a hold's reason": ("except_model", {"reason": "technical", "words": "x"}, "reason", "one of the"),
    "exception without facts": ("except_model", {"reason": "art17_3_e"}, "words", "Write the facts"),
    "exception with a null character": ("except_model", {"reason": "art17_3_e", "words": "\0"}, "words", "Null"),
    "hold without a reason": ("hold_model", {}, "reason", "not held without one"),
    "hold for an exception's reason": ("hold_model", {"reason": "art17_3_e"}, "reason", "one of the"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_comes_back_in_the_form_of_its_model_alone(name: str) -> None:
    view, data, field, error = BAD[name]
    request_id, dana = in_review(), signed_in(cast.dana())
    before = everything()
    response = dana.post(address(view, request_id, ranking()), data)
    page = page_of(response)
    assert everything() == before
    assert (response.status_code, page.problems) == (400, [])
    assert error in page.text
    (broken,) = [element for element in page.elements if element.attributes.get("aria-invalid") == "true"]
    assert broken.attributes["name"] == field and str(ranking()) in broken.attributes["id"]
    assert len(page.all("details", open="")) == 1


def test_what_was_written_before_an_error_is_still_there() -> None:
    request_id = in_review()
    data = {"reason": "", "words": "The long explanation."}
    page = page_of(signed_in(cast.dana()).post(address("except_model", request_id, ranking()), data))
    assert "The long explanation." in page.text


def test_an_operator_holds_and_does_not_except() -> None:
    request_id = in_review()
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "hold" in page.actions() and "except" not in page.actions()


def test_a_model_is_excepted_and_taken_back() -> None:
    request_id = in_review()
    dana = signed_in(cast.dana())
    page = act(dana, "except_model", request_id, GOOD["except_model"], model_id=ranking())
    assert "the person is told why" in page.text
    assert "Excepted by law Art. 17(3)(e): legal claims" in page.text
    assert target(request_id).state == TargetState.EXCEPTED
    assert [note.text for note in queries.notes(request_id)] == [WORDS]
    assert "Facts behind the exception of ranking" in page.text
    page = act(dana, "include_model", request_id, model_id=ranking())
    assert "Excepted by law" not in page.text
    assert target(request_id).state == TargetState.QUEUED


def test_browsers_send_two_characters_at_the_end_of_a_line_and_one_is_kept() -> None:
    request_id = in_review()
    data = {"reason": "art17_3_e", "words": "one\r\ntwo"}
    act(signed_in(cast.dana()), "except_model", request_id, data, model_id=ranking())
    assert [note.text for note in queries.notes(request_id)] == ["one\ntwo"]


def test_an_exception_since_the_page_was_shown_stops_the_approval() -> None:
    request_id = in_review()
    dana = signed_in(cast.dana())
    form = approval(dana, request_id)
    cast.leave_out(request_id, ranking())
    before = state_of(request_id)
    assert "what is excepted did" in act(dana, "approve", request_id, form).text
    assert state_of(request_id) == before


def test_where_every_model_is_excepted_there_is_nothing_to_approve() -> None:
    request_id = in_review()
    for model in RegisteredModel.objects.all():
        cast.leave_out(request_id, model.pk)
    page = seen(signed_in(cast.dana()), address("request", request_id))
    assert "nothing would be deleted" in page.text
    assert "refuse" in page.actions() and "approve" not in page.actions()


def test_a_request_with_an_exception_is_completed_in_part() -> None:
    request_id = in_review()
    dana, bob = signed_in(cast.dana()), signed_in(cast.bob())
    act(dana, "except_model", request_id, GOOD["except_model"], model_id=ranking())
    act(dana, "approve", request_id, approval(dana, request_id))
    cast.make_plan(request_id)
    cast.work(request_id)
    page = act(bob, "sign_off", request_id, {"confirmed": "on"})
    assert DeletionRequest.objects.get(pk=request_id).state == RequestState.PARTLY_COMPLETED
    assert "2 records of this person stay: Art. 17(3)(e)" in page.text
    assert "2 records of this person forgotten" in page.text


def test_a_held_model_waits_openly_and_goes_on_when_released() -> None:
    request_id = in_review()
    dana, bob = signed_in(cast.dana()), signed_in(cast.bob())
    page = act(bob, "hold_model", request_id, GOOD["hold_model"], model_id=ranking())
    assert "On hold Evidence for legal claims" in page.text
    act(dana, "approve", request_id, approval(dana, request_id))
    cast.make_plan(request_id)
    cast.work(request_id)
    page = seen(bob, address("request", request_id))
    assert "A model is on hold. The work goes on once the hold is lifted" in page.text
    assert not page.all("meta", **{"http-equiv": "refresh"})
    assert page.actions() == {"logout", "release"}
    assert "Released." in act(bob, "release_model", request_id, model_id=ranking()).text
    cast.work(request_id)
    assert state_of(request_id)[0] == RequestState.SIGNOFF


def test_a_hold_that_a_colleague_lifted_first_is_a_sentence() -> None:
    request_id = in_review()
    cast.hold(request_id, ranking())
    cast.let_go(request_id, ranking())
    assert "is not on hold" in act(signed_in(cast.bob()), "release_model", request_id, model_id=ranking()).text


def test_a_hold_on_a_closed_request_is_left_alone() -> None:
    request_id = in_review()
    cast.hold(request_id, ranking())
    cast.take_back(request_id)
    for user in (cast.bob(), cast.dana()):
        assert seen(signed_in(user), address("request", request_id)).actions() <= {"logout", "unveil"}


def test_a_page_that_reloads_takes_no_form_away() -> None:
    cast.model_of("ranking", cast.ALICE)
    request_id = cast.brought_to(RequestState.EXECUTING).request.pk
    url, client = address("request", request_id), signed_in(cast.bob())
    page = seen(client, url)
    assert "hold" not in page.actions() and "to put a model on hold" in page.text
    assert "hold" in seen(client, f"{url}?reload=off").actions()
    response = client.post(address("hold_model", request_id, ranking()))
    assert not page_of(response).all("meta", **{"http-equiv": "refresh"})
    assert "to put a model on hold" not in seen(signed_in(cast.audrey()), url).text


def test_no_address_holds_personal_data() -> None:
    request_id = in_review()
    cast.leave_out(request_id, ranking())
    page = seen(signed_in(cast.dana()), address("request", request_id))
    known = {str(request_id), *(str(model.pk) for model in RegisteredModel.objects.all())}
    paths = [form.attributes["action"] for form in page.all("form")]
    ids = {found for path in paths for found in re.findall(r"[0-9a-f-]{36}", path)}
    assert ids <= known
    for path in paths:
        assert re.fullmatch(r"(/[a-z-]+|/[0-9a-f-]{36})+/", path), path
    assert reverse("portal:logout") in paths
    assert all(form.attributes["method"] == "post" for form in page.all("form"))
