"""What a person can do about a request: first what is refused, then what comes of it."""

import uuid

import pytest
from rest_framework.throttling import ScopedRateThrottle

from compliance.public.words import words_of
from compliance.requests import queries
from compliance.requests.models import DeletionRequest, IdentityChallenge, LinkReason, RequestLink, SealedNote
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import everything
from tests.compliance.public.browsing import LANGUAGES, Browser, address, opened_in, receipt_of

pytestmark = pytest.mark.django_db

NO_CODES = {
    "nothing": "",
    "too short": "12345",
    "letters": "abcdefghij",
    "other digits": "١٢٣٤٥٦٧٨٩٠",
    "long": "1" * 40,
}
ACTS = {
    "enter_code": {"code": "0123456789"},
    "send_code": {},
    "answer": {"answer": "Under the name of my shop."},
    "withdraw": {},
    "complain": {"text": "It knew my street."},
}
#: Where an act is refused by the state of the request.
TOO_LATE = {
    "enter_code": RequestState.UNDER_REVIEW,
    "send_code": RequestState.UNDER_REVIEW,
    "answer": RequestState.UNDER_REVIEW,
    "withdraw": RequestState.APPROVED,
    "complain": RequestState.UNDER_REVIEW,
}


def send(browser: Browser, name: str, request_id: uuid.UUID, status: int = 302) -> str:
    """Send what a form of this name would, with the token of another form; the text of the page that it leads to."""
    token = browser.at("open").all("input", name="csrfmiddlewaretoken")[0].attributes["value"]
    answer = browser.client.post(
        address(name, request_id, browser.language), {**ACTS[name], "csrfmiddlewaretoken": token}
    )
    assert answer.status_code == status
    return browser.get(answer.headers["Location"]).text if status == 302 else answer.content.decode()


@pytest.mark.parametrize("name", ACTS)
def test_an_act_without_the_token_of_a_form_is_refused(name: str) -> None:
    browser, submitted = opened_in(RequestState.IDENTITY_PENDING)
    before = everything()
    answer = browser.client.post(address(name, submitted.request.pk), ACTS[name])
    assert answer.status_code == 403
    assert "The form was too old" in answer.content.decode()
    assert everything() == before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_comes_too_late_is_explained_in_the_language_and_changes_nothing(name: str, language: str) -> None:
    browser, submitted = opened_in(TOO_LATE[name], language)
    before = everything()
    assert words_of(language).text("error_wrong_state") in send(browser, name, submitted.request.pk)
    assert everything() == before


@pytest.mark.parametrize("name", ["enter_code", "send_code", "answer"])
def test_reading_the_address_of_an_act_leads_to_the_page(name: str) -> None:
    browser, submitted = opened_in(RequestState.IDENTITY_PENDING)
    before = everything()
    browser.at(name, submitted.request.pk)
    assert browser.url == address("follow", submitted.request.pk)
    assert everything() == before


@pytest.mark.parametrize("case", NO_CODES)
def test_what_is_no_code_costs_no_try(case: str) -> None:
    browser, submitted = opened_in(RequestState.IDENTITY_PENDING)
    page = browser.at("follow", submitted.request.pk)
    page = browser.send(page, "code", {"code": NO_CODES[case]}, status=400)
    assert page.all("a", href="#code")
    assert IdentityChallenge.objects.get().attempts_left == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_code_is_said_at_its_field(language: str) -> None:
    submitted = cast.ask()
    code = cast.mail_code(submitted.request.pk)
    browser = Browser(language)
    data = {"request_id": str(submitted.request.pk), "token": submitted.token}
    page = browser.send(browser.at("open"), "open", data)
    page = browser.send(page, "code", {"code": f"{(int(code) + 1) % 10**10:010d}"}, status=400)
    assert words_of(language).text("error_identity_not_confirmed") in page.by_id("code_error").text
    assert IdentityChallenge.objects.get().attempts_left == 4
    spaced = f" {code[:5]} {code[5:]} "
    page = browser.send(page, "code", {"code": spaced})
    assert words_of(language).text("state_under_review") in page.text


@pytest.mark.parametrize(("name", "scope"), [("enter_code", "identity"), ("send_code", "identity_code")])
def test_tries_are_limited_for_each_request(name: str, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, submitted = opened_in(RequestState.IDENTITY_PENDING, "es")
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, scope, "1/hour")
    before = IdentityChallenge.objects.get().attempts_left
    send(browser, name, submitted.request.pk, status=400 if name == "enter_code" else 302)
    assert "Demasiados intentos" in send(browser, name, submitted.request.pk, status=429)
    assert before - IdentityChallenge.objects.get().attempts_left <= 1


@pytest.mark.parametrize("state", [RequestState.INFO_REQUESTED, RequestState.REFUSED], ids=str)
@pytest.mark.parametrize("name", ["answer", "withdraw"])
def test_answers_and_withdrawals_are_limited_for_each_request(
    name: str, state: RequestState, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, submitted = opened_in(state, "de")
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "subject", "1/hour")
    send(browser, name, submitted.request.pk)
    before = everything()
    assert "Zu viele Versuche" in send(browser, name, submitted.request.pk, status=429)
    assert everything() == before
    browser.at("follow", submitted.request.pk)


def test_asking_whether_to_take_back_is_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    browser, submitted = opened_in(RequestState.UNDER_REVIEW)
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "subject", "1/hour")
    for _ in range(3):
        question = browser.at("withdraw", submitted.request.pk)
    assert words_of("en").text("state_withdrawn") in browser.send(question, "withdraw").text


def test_a_fresh_code_is_owed() -> None:
    browser, submitted = opened_in(RequestState.IDENTITY_PENDING)
    IdentityChallenge.objects.update(sent_at=submitted.request.received_at)
    page = browser.send(browser.at("follow", submitted.request.pk), "fresh-code")
    assert words_of("en").text("done_fresh_code") in page.text
    assert IdentityChallenge.objects.get().sent_at is None


def test_an_empty_answer_is_refused_and_a_written_one_is_sealed() -> None:
    browser, submitted = opened_in(RequestState.INFO_REQUESTED)
    page = browser.send(browser.at("follow", submitted.request.pk), "answer", {"answer": "  "}, status=400)
    assert page.all("a", href="#answer")
    page = browser.send(page, "answer", {"answer": "Under the name\r\nof my shop."})
    assert words_of("en").text("done_answer") in page.text
    notes = [(note.kind, note.text) for note in queries.notes(submitted.request.pk)]
    assert notes[-1] == (SealedNote.Kind.ANSWER, "Under the name\nof my shop.")


def test_taking_back_is_asked_once_more() -> None:
    browser, submitted = opened_in(RequestState.UNDER_REVIEW)
    question = browser.follow(browser.at("follow", submitted.request.pk), "/withdraw/")
    submitted.request.refresh_from_db()
    assert submitted.request.state == RequestState.UNDER_REVIEW
    page = browser.send(question, "withdraw")
    assert words_of("en").text("state_withdrawn") in page.text
    browser.at("withdraw", submitted.request.pk)
    assert browser.url == address("follow", submitted.request.pk)


def test_a_complaint_becomes_a_request_of_its_own() -> None:
    browser, submitted = opened_in(RequestState.REFUSED, "de")
    form = browser.follow(browser.at("follow", submitted.request.pk), "/complain/")
    browser.send(form, "complain", {"text": ""}, status=400)
    request_id, token = receipt_of(browser.send(form, "complain", {"text": "It knew my street."}, status=201))
    assert token != submitted.token
    assert RequestLink.objects.get(request=request_id, linked=submitted.request).reason == LinkReason.COMPLAINT
    assert [note.text for note in queries.notes(request_id)] == ["It knew my street."]
    browser.send(form, "complain", {"text": "It knew my street."})
    assert browser.url == address("follow", request_id, "de"), "a form that is sent twice asks once"
    assert DeletionRequest.objects.count() == 2


def test_what_nobody_proved_cannot_be_complained_about() -> None:
    browser, submitted = opened_in(RequestState.CLOSED_UNVERIFIED)
    browser.at("complain", submitted.request.pk)
    assert browser.url == address("follow", submitted.request.pk)
    assert words_of("en").text("error_wrong_state") in send(browser, "complain", submitted.request.pk)
    assert DeletionRequest.objects.count() == 1


def test_what_was_shredded_cannot_be_complained_about() -> None:
    browser, submitted = opened_in(RequestState.REFUSED)
    submitted.request.vault.shredded_at = submitted.request.closed_at
    submitted.request.vault.save(update_fields=["shredded_at"])
    assert "/complain/" not in browser.at("follow", submitted.request.pk).html
    assert words_of("en").text("error_wrong_state") in send(browser, "complain", submitted.request.pk)
