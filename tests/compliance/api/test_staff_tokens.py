"""Logging in, out, and being locked out."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from knox.models import AuthToken
from pytest_django import Settings

from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of, refused, staff

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


def _bob() -> User:
    bob = cast.bob()
    bob.set_password(PASSWORD)
    bob.save()
    return bob


def _basic(name: str, password: str) -> Caller:
    return Caller("Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


def test_a_password_makes_a_token_that_works_until_it_is_ended() -> None:
    _bob()
    response = _basic("bob", PASSWORD).post("staff-tokens")
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    made = body_of(response)
    bob = Caller(f"Token {made['token']}")
    assert bob.get("staff-requests").status_code == 200
    assert bob.delete("staff-tokens").status_code == 204
    refused(bob.get("staff-requests"), 401, "authentication_failed")


def test_a_token_ends_by_itself() -> None:
    bob = staff(_bob())
    AuthToken.objects.update(expiry=datetime.now(tz=UTC) - timedelta(seconds=1))
    refused(bob.get("staff-requests"), 401, "authentication_failed")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Basic", id="nothing"),
        pytest.param("Basic ?", id="no_base64"),
        pytest.param("Basic " + base64.b64encode(b"bob").decode(), id="no_password"),
        pytest.param("Basic " + base64.b64encode(b"bob:wrong").decode(), id="wrong"),
        pytest.param("Basic " + base64.b64encode(b"b\x00b:x").decode(), id="nul"),
        pytest.param("Basic " + base64.b64encode(b"b" * 300 + b":x").decode(), id="long_name"),
        pytest.param("Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), id="not_utf8"),
    ],
)
def test_what_is_no_account_is_refused(header: str) -> None:
    _bob()
    response = Caller(header).post("staff-tokens")
    refused(response, 401, "authentication_failed")
    assert response["WWW-Authenticate"].startswith("Basic")
    assert not AuthToken.objects.exists()


def test_a_token_does_not_make_another() -> None:
    refused(staff(_bob()).post("staff-tokens"), 401, "not_authenticated")


def test_wrong_passwords_lock_the_account_for_the_right_one_too(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    _bob()
    for _ in range(3):
        refused(_basic("bob", "wrong").post("staff-tokens"), 401, "authentication_failed")
    response = _basic("bob", PASSWORD).post("staff-tokens")
    refused(response, 429, "too_many_requests")
    assert 0 < int(response["Retry-After"]) <= 3600
    assert not AuthToken.objects.exists()


def test_a_long_query_does_not_hide_a_wrong_password_from_the_portals_count_either() -> None:
    _bob()
    query = "&".join(f"q{number}=" for number in range(1001))
    Client().post(f"/login/?{query}", {"username": "bob", "password": "wrong"})
    assert AccessAttempt.objects.get().failures_since_start == 1


def _multipart(caller: Caller) -> HttpResponse:
    return caller.send("staff-tokens", data=b"no boundary", content_type="multipart/form-data")


def _json(caller: Caller) -> HttpResponse:
    return caller.send("staff-tokens", data=b"{")


def _query(caller: Caller) -> HttpResponse:
    return caller.send("staff-tokens", data=b"", **{f"q{number}": "" for number in range(1001)})


@pytest.mark.parametrize("send", [_multipart, _json, _query])
def test_what_would_keep_a_failure_from_being_counted_is_refused_for_every_password(
    send: Callable[[Caller], HttpResponse],
) -> None:
    _bob()
    answers = [send(_basic("bob", password)) for password in ("wrong", PASSWORD)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content
    assert not AuthToken.objects.exists()
    assert not AccessAttempt.objects.exists()
