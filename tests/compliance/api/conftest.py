"""Limits out of the way, and forgotten between tests; secrets hashed in no time."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.throttling import ScopedRateThrottle


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for scope in tuple(ScopedRateThrottle.THROTTLE_RATES):
        monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, scope, "1000000/minute")
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Settings) -> None:
    """What makes a secret slow to guess would make each of hundreds of machine clients take half a second."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
