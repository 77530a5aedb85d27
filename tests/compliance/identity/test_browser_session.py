"""What a browser has opened: not what it says itself, not for ever, and not without end."""

import time
import uuid

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from compliance.identity import browser_session
from compliance.identity.browser_session import forget, opened, remember_opened

pytestmark = pytest.mark.django_db


def browser() -> HttpRequest:
    request = HttpRequest()
    request.session = SessionStore()
    return request


def test_a_browser_has_opened_nothing_of_its_own() -> None:
    request, deletion = browser(), uuid.uuid4()
    assert not opened(request, deletion)
    request.COOKIES["opened_requests"] = str(deletion)
    assert not opened(request, deletion)


def test_one_request_does_not_open_another() -> None:
    request, deletion = browser(), uuid.uuid4()
    remember_opened(request, deletion)
    assert opened(request, deletion)
    assert not opened(request, uuid.uuid4())


def test_whoever_planted_the_session_is_not_let_in_with_it() -> None:
    planted, deletion = browser(), uuid.uuid4()
    planted.session["x"] = 1
    planted.session.save()
    known_to_the_attacker = planted.session.session_key
    remember_opened(planted, deletion)
    planted.session.save()
    attacker = HttpRequest()
    attacker.session = SessionStore(known_to_the_attacker)
    assert not opened(attacker, deletion)
    assert opened(planted, deletion)


def test_it_is_forgotten_after_its_time_and_never_comes_from_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    request, deletion = browser(), uuid.uuid4()
    remember_opened(request, deletion)
    begun = time.time()
    for later, expected in (
        (0, True),
        (browser_session.OPEN_SECONDS - 5, True),
        (browser_session.OPEN_SECONDS + 1, False),
    ):
        monkeypatch.setattr(time, "time", lambda at=begun + later: at)
        assert opened(request, deletion) is expected
    monkeypatch.setattr(time, "time", lambda: begun - 60)
    assert not opened(request, deletion)


def test_the_oldest_are_forgotten_first() -> None:
    request = browser()
    deletions = [uuid.uuid4() for _ in range(browser_session.MAX_OPENED + 3)]
    for deletion in deletions:
        remember_opened(request, deletion)
    assert [opened(request, deletion) for deletion in deletions[:3]] == [False] * 3
    assert all(opened(request, deletion) for deletion in deletions[3:])


def test_a_browser_that_forgets_leaves_nothing_behind() -> None:
    request, deletion = browser(), uuid.uuid4()
    remember_opened(request, deletion)
    request.session["other"] = "thing"
    request.session.save()
    key = request.session.session_key
    forget(request)
    assert not opened(request, deletion)
    later = HttpRequest()
    later.session = SessionStore(key)
    assert not opened(later, deletion)
    assert "other" not in later.session
