"""Signing in and out, and what wrong passwords lead to."""

import pytest
from django.conf import settings
from django.urls import reverse

from tests.compliance import cast
from tests.compliance.portal.browsing import page_of, seen, signed_in

pytestmark = pytest.mark.django_db


def test_the_sign_in_page_opens_the_portal_and_the_button_closes_it() -> None:
    user = cast.bob()
    user.set_password("correct horse battery")
    user.save()
    client = signed_in(user)
    client.logout()
    response = client.post(
        reverse("portal:login"), {"username": "bob", "password": "correct horse battery", "next": "/ledger/"}
    )
    assert response["Location"] == "/ledger/"
    assert seen(client, "/ledger/").all("form", action=reverse("portal:logout"), method="post")
    assert client.get(reverse("portal:logout")).status_code == 405
    assert client.post(reverse("portal:logout"))["Location"] == reverse("portal:login")
    assert client.get("/ledger/").status_code == 302


def test_a_wrong_password_is_refused_and_ten_lock_the_account() -> None:
    user = cast.bob()
    user.set_password("correct horse battery")
    user.save()
    client = signed_in(user)
    client.logout()
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        response = client.post(reverse("portal:login"), {"username": "bob", "password": "wrong"})
        assert response.status_code == 200
    page = page_of(response)
    assert page.problems == [] and page.all("li", role="alert")
    locked = [
        client.post(reverse("portal:login"), {"username": "bob", "password": password})
        for password in ("wrong", "correct horse battery")
    ]
    assert {response.status_code for response in locked} == {429}
    assert "Sign-in is locked" in page_of(locked[-1]).text
    assert page_of(locked[-1]).problems == []
