"""The whole way without JavaScript, in each language, over pages, links and forms that are really there."""

import base64
import logging
import re

import pytest
from django.test import Client

from compliance.ledger.actors import SYSTEM
from compliance.public.words import words_of
from compliance.requests.actions.request_identity import request_identity
from tests.compliance import cast
from tests.compliance.portal.browsing import everything
from tests.compliance.public.browsing import LANGUAGES, Browser, address, receipt_of

pytestmark = pytest.mark.django_db

_SPELLINGS = (
    cast.MARK,
    cast.MARK.upper(),
    cast.MARK.encode().hex(),
    base64.b64encode(cast.MARK.encode()).decode()[:-3],
)


def _journey(language: str) -> tuple[Browser, str]:
    """From the first page to the outcome and a complaint; the browser, and the first access key."""
    browser, words = Browser(language), words_of(language)
    page = browser.get("/erasure/")
    page = browser.follow(page, "/ask/")
    page = browser.send(page, "ask", {"value": cast.ALICE, "ground": "art17_1_b", "said": "It knows me."}, status=201)
    request_id, token = receipt_of(page)
    page = browser.follow(page, f"/requests/{request_id}/")
    browser.send(page, "fresh-code")
    page = browser.send(browser.at("follow", request_id), "forget")
    page = browser.send(browser.follow(page, "/open/"), "open", {"request_id": str(request_id), "token": token})
    code = request_identity(request_id, actor=SYSTEM)
    page = browser.send(page, "code", {"code": code})
    assert words.text("state_under_review") in page.text
    cast.ask_back(request_id)
    page = browser.send(browser.at("follow", request_id), "answer", {"answer": "Under the name of my shop."})
    for step in (cast.decide, cast.make_plan, cast.work, cast.second_signature):
        step(request_id)
        page = browser.at("follow", request_id)
    assert words.text("state_completed") in page.text
    assert "spam-filter" in page.text
    page = browser.follow(page, "/complain/")
    page = browser.send(page, "complain", {"text": "It still knows me."}, status=201)
    second_id, _ = receipt_of(page)
    page = browser.follow(page, f"/requests/{second_id}/")
    page = browser.send(browser.follow(page, "/withdraw/"), "withdraw")
    assert words.text("state_withdrawn") in page.text
    browser.send(page, "forget")
    browser.at("follow", request_id, status=403)
    return browser, token


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_gets_from_the_first_page_to_the_outcome(language: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cast.model_of("spam-filter", cast.ALICE, cast.CHARLIE)
    browser, token = _journey(language)
    bodies = [answer.content.decode() for answer in browser.answers]
    assert sum(token in body for body in bodies) == 1, "the key is shown once"
    for secret in (token, *_SPELLINGS):
        assert not [url for url in browser.urls if secret in url]
        assert secret not in caplog.text
        assert not [answer for answer in browser.answers if secret in str(answer.headers) + str(answer.cookies)]
    rows = str(everything())
    assert token not in rows
    for spelling in _SPELLINGS:
        assert not [body for body in bodies if spelling in body]
        assert spelling not in rows
    for answer in browser.answers:
        if answer.status_code != 302:
            assert f'<html lang="{language}">' in answer.content.decode()
            assert answer.headers["Content-Language"] == language


@pytest.mark.parametrize("name", ["home", "ask", "open"])
def test_no_page_is_kept_indexed_or_told_of(name: str) -> None:
    answer = Client().get(address(name))
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|script-src|\*|https?:", policy)
    assert set(answer.cookies) == ({"csrftoken"} if name != "home" else set()), "no cookie before a form needs one"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_leads_to_itself_in_the_other_languages(language: str) -> None:
    browser = Browser(language)
    for name in ("home", "ask", "open"):
        page = browser.at(name)
        switch = [link for link in page.all("a") if "nav" in link.parents]
        assert [link.attributes["href"] for link in switch] == [address(name, language=code) for code in LANGUAGES]
        assert [link.attributes["lang"] for link in switch] == list(LANGUAGES)
        (current,) = page.all("a", **{"aria-current": "true"})
        assert current.attributes["lang"] == language
