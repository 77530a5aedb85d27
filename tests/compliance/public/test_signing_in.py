"""Signing in from the page of a request and coming back to it, in the language of the request."""

import pytest

from compliance.public.words import words_of
from compliance.requests.actions.submit import submit
from tests.compliance import cast
from tests.compliance.identity.browser import signed_in
from tests.compliance.identity.conftest import provider  # noqa: F401 - the fixture is used by its name
from tests.compliance.identity.openid_provider import Provider
from tests.compliance.public.browsing import LANGUAGES, Browser, address
from tests.compliance.public.page import Page

pytestmark = pytest.mark.django_db


def _opened(language: str) -> tuple[Browser, str]:
    submitted = submit(identifier_kind="email", identifier_value=cast.ALICE, locale=language)
    cast.mail_code(submitted.request.pk)
    browser = Browser(language)
    data = {"request_id": str(submitted.request.pk), "token": submitted.token}
    page = browser.send(browser.at("open"), "open", data)
    (link,) = [link.attributes["href"] for link in page.all("a") if link.attributes["href"].endswith("/start")]
    return browser, link


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_somebody_else_is_told_so_in_the_language(language: str, provider: Provider) -> None:  # noqa: F811
    provider.person["email"] = cast.CHARLIE
    browser, link = _opened(language)
    answer = browser.client.get("/identity/oidc/callback", signed_in(browser.client.get(link).headers["Location"]))
    page = Page(answer.content.decode())
    assert (answer.status_code, page.problems) == (403, [])
    assert words_of(language).text("text_sign_in_refused") in page.text
    assert "no-store" in answer.headers["Cache-Control"]
    browser.follow(page, link.removeprefix("/identity/oidc/").removesuffix("start"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_the_person_comes_back_to_the_request(language: str, provider: Provider) -> None:  # noqa: F811
    browser, link = _opened(language)
    answer = browser.client.get("/identity/oidc/callback", signed_in(browser.client.get(link).headers["Location"]))
    assert answer.headers["Location"] == address("follow", link.split("/")[3], language)
    page = browser.get(answer.headers["Location"])
    assert words_of(language).text("done_sign_in") in page.text
    assert words_of(language).text("state_under_review") in page.text


def test_a_browser_that_has_opened_nothing_is_told_to_in_its_language() -> None:
    for url in ("/identity/oidc/callback", f"/identity/oidc/{cast.ask().request.pk}/start"):
        answer = Browser("es").client.get(url, headers={"accept-language": "es"})
        assert answer.status_code == 403
        assert words_of("es").text("text_not_opened") in answer.content.decode()


def test_an_installation_without_a_provider_offers_no_link_and_takes_no_sign_in() -> None:
    submitted = cast.ask()
    browser = Browser()
    data = {"request_id": str(submitted.request.pk), "token": submitted.token}
    page = browser.send(browser.at("open"), "open", data)
    assert "/identity/" not in page.html
    answer = browser.client.get(f"/identity/oidc/{submitted.request.pk}/start")
    assert answer.status_code == 404
    assert words_of("en").text("text_sign_in_unavailable") in answer.content.decode()
