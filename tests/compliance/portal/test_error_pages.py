"""Pages for what went wrong: in the same frame, without a database, and without details for strangers."""

import pytest
from django.template.loader import get_template
from django.test import Client, RequestFactory

from compliance.api.handlers import server_error
from tests.compliance import cast
from tests.compliance.portal.browsing import seen, signed_in
from tests.compliance.portal.html_page import Page


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"])
def test_an_error_page_needs_no_context_and_no_database(name: str) -> None:
    page = Page(get_template(name).render())
    assert page.problems == []
    assert page.all("a", href="/requests/")


def test_a_failure_answers_with_the_page_and_no_details() -> None:
    response = server_error(RequestFactory().get("/requests/"))
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()


@pytest.mark.django_db
def test_an_address_that_is_not_there_is_not_found_for_anyone() -> None:
    for client in (Client(), signed_in(cast.bob())):
        page = seen(client, "/no/such/page/", status=404)
        assert "nothing at this address" in page.text


def test_a_foreign_host_is_refused() -> None:
    response = Client().get("/login/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()


@pytest.mark.django_db
def test_the_sign_in_page_is_sound() -> None:
    page = seen(Client(), "/login/")
    assert page.problems == []
    assert {field.attributes["name"] for field in page.all("input")} == {
        "csrfmiddlewaretoken",
        "next",
        "username",
        "password",
    }
    assert page.all("input", name="password", type="password", autocomplete="current-password")
