"""Asking: what is refused and how it is said, what a receipt holds, and that pressing twice asks once."""

import copy
import threading
import uuid
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.db.models import F
from rest_framework.throttling import ScopedRateThrottle

from compliance.identity.browser_session import OPEN_SECONDS
from compliance.intake import receiving
from compliance.intake.models import SubmissionKey
from compliance.requests import queries
from compliance.requests.models import Channel, DeletionRequest, SealedNote
from tests.compliance import cast
from tests.compliance.api.caller import anonymous
from tests.compliance.portal.browsing import everything
from tests.compliance.public.browsing import LANGUAGES, Browser, address, asked, receipt_of

pytestmark = pytest.mark.django_db

GOOD = {"value": cast.ALICE, "ground": "art17_1_b", "regulation": "gdpr"}
#: What is entered, and the field that it is about.
REFUSED = {
    "nothing": ({"value": "", "ground": ""}, {"value", "ground"}),
    "no address": ({**GOOD, "value": "Alice"}, {"value"}),
    "an address that mail cannot be sent to": ({**GOOD, "value": '"a b"@example.org'}, {"value"}),
    "a long address": ({**GOOD, "value": f"{'a' * 300}@example.org"}, {"value"}),
    "a null character": ({**GOOD, "value": "a\x00@example.org"}, {"value"}),
    "an unknown ground": ({**GOOD, "ground": "art17_1_z"}, {"ground"}),
    "an unknown law": ({**GOOD, "regulation": "tlh"}, {"regulation"}),
    "an unknown kind": ({**GOOD, "kind": "shoe_size"}, set[str]()),
    "too many words": ({**GOOD, "said": "x" * 4_001}, {"said"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_said_at_the_field_and_in_a_summary(case: str, language: str) -> None:
    data, wrong = REFUSED[case]
    before, browser = everything(), Browser(language)
    page = browser.send(browser.at("ask"), "ask", data, status=400)
    assert everything() == before
    (summary,) = [element for element in page.all("section", role="alert") if "autofocus" in element.attributes]
    links = {link.attributes["href"][1:].removesuffix("_0") for link in page.all("a") if "section" in link.parents}
    assert links == wrong
    for name in wrong:
        (error,) = page.all("ul", id=f"{name}_error")
        assert error.text.strip() in summary.text
    assert page.all("title")[0].text.startswith({"en": "Error", "de": "Fehler", "fr": "Erreur", "es": "Hay"}[language])


def test_what_was_right_need_not_be_entered_again() -> None:
    browser = Browser()
    page = browser.send(browser.at("ask"), "ask", {"value": cast.ALICE, "said": "It knew my street."}, status=400)
    assert page.by_id("value").attributes["value"] == cast.ALICE
    assert page.by_id("said").text.strip() == "It knew my street."


def test_a_form_without_its_token_is_refused_in_the_language_of_the_page() -> None:
    before, browser = everything(), Browser("fr")
    answer = browser.client.post(address("ask", language="fr"), GOOD)
    assert answer.status_code == 403
    assert "Le formulaire était trop ancien" in answer.content.decode()
    assert everything() == before


def test_the_limit_is_that_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "submit", "2/minute")
    anonymous().post("submit", body={"identifier": {"kind": "email", "value": cast.ALICE}})
    browser = Browser("de")
    asked(browser)
    page = browser.send(browser.at("ask"), "ask", GOOD, status=429)
    assert "Zu viele Versuche" in page.text
    assert 0 < int(browser.answers[-1].headers["Retry-After"]) <= 60
    assert DeletionRequest.objects.count() == 2
    assert anonymous().post("submit", body={"identifier": {"kind": "email", "value": cast.ALICE}}).status_code == 429


def test_a_key_service_that_is_down_is_said_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from compliance.requests import identities

    def away(*_: object) -> None:
        raise identities.VaultNotReadyError("The key service gives no answer.")

    monkeypatch.setattr(identities, "seal", away)
    browser = Browser()
    page = browser.send(browser.at("ask"), "ask", GOOD, status=503)
    assert "try again in an hour" in page.text
    assert not DeletionRequest.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_holds_what_opens_the_request(language: str) -> None:
    browser = Browser(language)
    page = asked(browser, said="It told a stranger where I live.\r\nTwice.", regulation="ccpa")
    request_id, token = receipt_of(page)
    request = queries.by_token(request_id, token)
    assert (request.channel, request.locale, request.regulation) == (Channel.WEB, language, "ccpa")
    assert cast.MARK not in page.html
    (note,) = queries.notes(request_id)
    assert (note.kind, note.text) == (SealedNote.Kind.COMPLAINT, "It told a stranger where I live.\nTwice.")
    (session,) = [row.get_decoded() for row in Session.objects.all()]
    assert str(request_id) in str(session)
    assert token not in str(session)
    assert not page.all("nav"), "in another language it could not be shown again"
    browser.follow(page, f"/requests/{request_id}/")


def test_who_has_nothing_to_report_leaves_no_note() -> None:
    request_id, _ = receipt_of(asked(Browser(), said=" \r\n "))
    assert queries.notes(request_id) == []


def test_a_form_that_is_sent_twice_asks_once() -> None:
    browser = Browser()
    form = browser.at("ask")
    request_id, token = receipt_of(browser.send(form, "ask", GOOD, status=201))
    page = browser.send(form, "ask", GOOD)
    assert browser.url == address("follow", request_id)
    assert token not in page.html
    assert DeletionRequest.objects.count() == 1
    assert receipt_of(asked(browser))[0] != request_id, "a new form is a new request"


def test_a_form_that_another_browser_has_sent_gives_nothing_away() -> None:
    browser, stranger = Browser(), Browser()
    form_id = str(uuid.uuid4())
    asked(browser, form_id=form_id)
    asked(stranger, form_id=form_id)
    assert DeletionRequest.objects.count() == 2


def test_a_form_that_is_sent_twice_at_once_asks_once(ledger_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click: neither has a session yet, and both stand before the claim together."""
    barrier, claim = threading.Barrier(2, timeout=20), receiving._claim

    def claim_together(asked: receiving.Asked) -> SubmissionKey | None:
        # SQLite let one in already, when it began its transaction: there the other waits before this.
        if connection.vendor == "postgresql":
            barrier.wait()
        return claim(asked)

    monkeypatch.setattr(receiving, "_claim", claim_together)
    browsers = [Browser(), Browser()]
    form = browsers[0].at("ask")
    browsers[1].client.cookies = copy.deepcopy(browsers[0].client.cookies)
    receipts: list[tuple[uuid.UUID, str]] = []

    def press(browser: Browser) -> None:
        try:
            receipts.append(receipt_of(browser.send(form, "ask", GOOD, status=201)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(receipts) == 2 and receipts[0] == receipts[1]
    assert DeletionRequest.objects.count() == 1
    assert queries.by_token(*receipts[0]).pk == receipts[0][0]
    for browser in browsers:
        browser.at("follow", receipts[0][0])


def test_without_its_session_the_form_makes_no_second_request_and_shows_the_key_for_an_hour_alone() -> None:
    """Whoever finds the browser later sends the form again; its cookie against forged forms is still there."""
    browser = Browser()
    form = browser.at("ask")
    first = receipt_of(browser.send(form, "ask", GOOD, status=201))
    del browser.client.cookies["sessionid"]
    assert receipt_of(browser.send(form, "ask", GOOD, status=201)) == first
    del browser.client.cookies["sessionid"]
    DeletionRequest.objects.update(received_at=F("received_at") - timedelta(seconds=OPEN_SECONDS))
    page = browser.send(form, "ask", GOOD, status=403)
    assert first[1] not in page.html
    assert DeletionRequest.objects.count() == 1


def test_a_form_that_was_refused_can_be_sent_again() -> None:
    browser = Browser()
    form = browser.at("ask")
    browser.send(form, "ask", {**GOOD, "ground": ""}, status=400)
    receipt_of(browser.send(form, "ask", GOOD, status=201))


def test_whoever_leaves_the_browser_leaves_no_form_that_can_be_sent() -> None:
    browser = Browser()
    form = browser.at("ask")
    request_id, _ = receipt_of(browser.send(form, "ask", GOOD, status=201))
    browser.send(browser.at("follow", request_id), "forget")
    data = {element.attributes["name"]: element.attributes["value"] for element in form.all("input", type="hidden")}
    assert browser.client.post(address("ask"), {**GOOD, **data}).status_code == 403
    assert DeletionRequest.objects.count() == 1


def test_the_browser_has_opened_the_request_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    request_id, _ = receipt_of(asked(browser))
    browser.at("follow", request_id)
    import time

    now = time.time()
    monkeypatch.setattr("compliance.identity.browser_session.time.time", lambda: now + OPEN_SECONDS)
    page = browser.at("follow", request_id, status=403)
    assert page.by_id("request_id").attributes["value"] == str(request_id)
