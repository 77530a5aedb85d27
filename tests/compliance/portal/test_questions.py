"""Questions to the person, what was written about a request, and who may read it."""

import pytest
from django.test.utils import override_settings

from compliance.requests import queries
from compliance.requests.models import DeletionRequest, Letter, SealedNote, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, seen, signed_in, state_of

pytestmark = pytest.mark.django_db

TRICKY = "<script>alert(1)</script>\n& a second line"


def test_auditors_read_nothing_of_what_was_written() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.INFO_REQUESTED).request.pk
    page = seen(signed_in(cast.audrey()), address("request", request_id))
    assert cast.QUESTION not in page.text and "What was written" not in page.text
    assert "Question asked" in page.text
    for user in (cast.bob(), cast.dana()):
        assert cast.QUESTION in seen(signed_in(user), address("request", request_id)).text


def test_a_note_that_was_changed_is_said_not_to_open() -> None:
    request_id = cast.brought_to(RequestState.INFO_REQUESTED).request.pk
    SealedNote.objects.update(sealed_text=b"\0" * 60)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "It cannot be opened." in page.text
    assert "settle-question" in page.actions()


def test_a_vault_that_is_gone_leaves_the_rest_of_the_page() -> None:
    request_id = cast.brought_to(RequestState.INFO_REQUESTED).request.pk
    SubjectVault.objects.filter(request=request_id).delete()
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "It cannot be opened." in page.text and page.problems == []


def test_a_page_that_reloads_opens_nothing() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.INFO_REQUESTED).request.pk
    cast.answer_back(request_id)
    cast.decide(request_id)
    url, client = address("request", request_id), signed_in(cast.bob())
    assert cast.QUESTION not in seen(client, url).text
    assert cast.QUESTION in seen(client, f"{url}?reload=off").text


def test_an_operator_asks_and_settles_a_question() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    bob = signed_in(cast.bob())
    page = act(bob, "ask_question", request_id, {"question": TRICKY})
    assert state_of(request_id)[0] == RequestState.INFO_REQUESTED
    assert "The person has been asked a question." in page.text
    assert TRICKY.replace("\n", " ") in page.text and "<script>" not in page.html
    assert Letter.objects.filter(request=request_id, kind=Letter.Kind.QUESTION).exists()
    page = act(bob, "settle_question", request_id, {"answer": "They called: Smith."})
    assert state_of(request_id)[0] == RequestState.UNDER_REVIEW
    assert [(note.kind, note.text) for note in queries.notes(request_id)] == [
        ("question", TRICKY),
        ("answer", "They called: Smith."),
    ]
    assert "Answer" in page.text and "They called: Smith." in page.text


def test_the_page_says_that_the_dates_wait_only_if_that_is_accepted() -> None:
    request_id = cast.brought_to(RequestState.INFO_REQUESTED).request.pk
    text = seen(signed_in(cast.bob()), address("request", request_id)).text
    assert "no date while we wait for the person" in " ".join(text.split())


def test_facts_about_the_person_stand_where_they_were_asked_for() -> None:
    submitted = cast.brought_to(RequestState.UNDER_REVIEW)
    DeletionRequest.objects.filter(pk=submitted.request.pk).update(locale="de", channel="web")
    page = seen(signed_in(cast.audrey()), address("request", submitted.request.pk))
    assert "Identity level 1 : one-time code by e-mail" in page.text.replace("level 1:", "level 1 :")
    assert "Language of letters German" in page.text
    assert "by Public page" in page.text


def test_an_identity_that_was_not_proven_is_said_not_to_be() -> None:
    request_id = cast.brought_to(RequestState.IDENTITY_PENDING).request.pk
    assert "Identity not proven" in seen(signed_in(cast.bob()), address("request", request_id)).text


@override_settings(IDENTITY_LEVEL=2)
def test_a_proof_that_was_not_enough_is_shown_with_its_level() -> None:
    request_id = cast.ask().request.pk
    cast.prove(request_id)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "level 1: one-time code by e-mail" in page.text
    assert "Waiting for proof of identity" in page.text
