"""Only keys that Django itself makes are looked for."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.sessions import SessionStore

pytestmark = pytest.mark.django_db
NO_KEYS = {
    "nothing": "",
    "none": None,
    "a null character": "\0" + "a" * 31,
    "half a character": "\ud800" + "a" * 31,
    "capitals": "A" * 32,
    "digits of another script": "\u0663" * 32,
    "one too few": "a" * 31,
    "one too many": "a" * 33,
    "a line break behind it": "a" * 32 + "\n",
}


@pytest.mark.parametrize("key", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_is_not_asked_for(key: str | None) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        store = SessionStore(key)
        assert store.get("x") is None
    assert (len(asked), store.session_key) == (0, None)


def test_a_session_is_kept_and_found_under_its_key() -> None:
    store = SessionStore()
    store["x"] = 1
    store.save()
    assert store.session_key is not None and len(store.session_key) == 32
    assert SessionStore(store.session_key)["x"] == 1
    store.flush()
    assert not Session.objects.exists()
