"""What went wrong is said in the reader's language; elsewhere everything stays as it was."""

import pytest
from django.test import Client

from compliance.public.words import words_of
from tests.compliance.public.browsing import LANGUAGES
from tests.compliance.public.page import Page

pytestmark = pytest.mark.django_db

NOWHERE = ("nothing/", "requests/47/", "requests/", "ask/x")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rest", NOWHERE)
def test_an_address_that_is_not_there_is_refused_in_its_language(rest: str, language: str) -> None:
    answer = Client().get(f"/erasure/{language}/{rest}")
    page = Page(answer.content.decode())
    assert (answer.status_code, page.problems) == (404, [])
    assert words_of(language).text("title_not_found") in page.text


def test_a_language_that_is_not_there_is_refused_in_that_of_the_browser() -> None:
    answer = Client().get("/erasure/tlh/ask/", headers={"accept-language": "fr"})
    assert answer.status_code == 404
    assert "Il n’y a rien à cette adresse" in answer.content.decode()


def test_the_beginning_is_in_the_language_of_the_browser() -> None:
    answer = Client().get("/erasure/", headers={"accept-language": "de-AT,en;q=0.5"})
    assert answer.headers["Location"] == "/erasure/de/"
    assert "Accept-Language" in answer.headers["Vary"]
    assert Client().get("/erasure").headers["Location"] == "/erasure/"


def test_the_staff_keep_their_own_page_about_old_forms() -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "erin", "password": "x"})
    assert answer.status_code == 403
    assert "You signed in or out meanwhile" in answer.content.decode()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(method: str) -> None:
    assert Client().generic(method.upper(), "/erasure/en/ask/").status_code == 405


def test_who_ends_up_at_the_sign_in_of_the_staff_is_shown_the_way() -> None:
    assert 'href="/erasure/"' in Client().get("/login/").content.decode()
