"""Opening a request with its key: one answer for everything that does not fit, and a browser that can forget."""

import uuid

import pytest
from rest_framework.throttling import ScopedRateThrottle

from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import everything, signed_in
from tests.compliance.public.browsing import LANGUAGES, Browser, address, opened, opened_in

pytestmark = pytest.mark.django_db

MALFORMED = {
    "nothing": ("", "", {"request_id", "token"}),
    "no reference": ("47", "x", {"request_id"}),
    "no key": (str(uuid.uuid4()), "", {"token"}),
    "a long key": (str(uuid.uuid4()), "x" * 129, {"token"}),
    "a null character": (str(uuid.uuid4()), "x\x00", {"token"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", MALFORMED)
def test_what_cannot_be_right_is_said_at_the_field(case: str, language: str) -> None:
    request_id, token, wrong = MALFORMED[case]
    browser = Browser(language)
    page = browser.send(browser.at("open"), "open", {"request_id": request_id, "token": token}, status=400)
    assert {name for name in ("request_id", "token") if f"{name}_error" in page.ids} == wrong
    assert "value" not in page.by_id("token").attributes


def test_an_unknown_reference_and_a_wrong_key_have_one_answer() -> None:
    alice, charlie = cast.ask(), cast.ask(cast.CHARLIE)
    answers = set()
    for request_id, token in (
        (uuid.uuid4(), alice.token),
        (alice.request.pk, charlie.token),
        (alice.request.pk, "guessed"),
        (alice.request.pk, alice.request.token_sha256),
        (alice.request.pk, "schlüssel"),
    ):
        browser = Browser()
        page = browser.send(browser.at("open"), "open", {"request_id": str(request_id), "token": token}, status=404)
        assert token not in page.html
        answers.add(page.text)
        browser.at("follow", alice.request.pk, status=403)
    assert len(answers) == 1


def test_a_page_that_was_not_opened_tells_nothing_of_whether_it_exists() -> None:
    there, nowhere = cast.ask().request.pk, uuid.uuid4()
    for name in ("follow", "enter_code", "send_code", "answer", "withdraw", "complain"):
        seen = [Browser().at(name, request_id, status=403).html for request_id in (there, nowhere)]
        assert cast.MARK not in seen[0]
        without = [
            html.replace(str(request_id), "").split("csrfmiddlewaretoken")[0]
            for html, request_id in zip(seen, (there, nowhere), strict=True)
        ]
        assert without[0] == without[1]


def test_a_browser_that_has_opened_one_request_has_opened_no_other() -> None:
    browser, _ = opened_in(RequestState.UNDER_REVIEW)
    other = cast.brought_to(RequestState.UNDER_REVIEW, cast.CHARLIE)
    before = everything()
    browser.at("follow", other.request.pk, status=403)
    token = browser.at("open").all("input", name="csrfmiddlewaretoken")[0].attributes["value"]
    answer = browser.client.post(address("withdraw", other.request.pk), {"csrfmiddlewaretoken": token})
    assert answer.status_code == 403
    assert everything() == before


def test_a_member_of_staff_opens_nothing_by_being_signed_in() -> None:
    request = cast.ask().request
    assert signed_in(cast.dana()).get(address("follow", request.pk)).status_code == 403


def test_guessing_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "identity", "2/minute")
    submitted = cast.ask()
    data = {"request_id": str(submitted.request.pk), "token": "guessed"}
    for _ in range(2):
        browser = Browser()
        browser.send(browser.at("open"), "open", data, status=404)
    page = browser.send(browser.at("open"), "open", {**data, "token": submitted.token}, status=429)
    assert "Too many attempts" in page.text
    browser.at("follow", submitted.request.pk, status=403)


def test_opening_gives_the_session_another_key() -> None:
    first, second = cast.ask(), cast.ask(cast.CHARLIE)
    browser = opened(first)
    planted = browser.client.cookies["sessionid"].value
    data = {"request_id": str(second.request.pk), "token": second.token}
    browser.send(browser.at("open"), "open", data)
    assert browser.client.cookies["sessionid"].value != planted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_forgets(language: str) -> None:
    browser, submitted = opened_in(RequestState.UNDER_REVIEW, language)
    page = browser.send(browser.at("follow", submitted.request.pk), "forget")
    assert browser.url == address("home", language=language)
    assert page.all("li", role="status")
    gone = browser.answers[-2].cookies
    assert {name: gone[name]["max-age"] for name in ("sessionid", "csrftoken")} == {"sessionid": 0, "csrftoken": 0}
    browser.at("follow", submitted.request.pk, status=403)


def test_reading_the_address_that_forgets_forgets_nothing() -> None:
    browser, submitted = opened_in(RequestState.UNDER_REVIEW)
    browser.at("forget")
    browser.at("follow", submitted.request.pk)
