"""Limits: every address that needs no account has one, and processes count together where a cache is shared."""

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from rest_framework.throttling import ScopedRateThrottle

from compliance.api.cached_values import JSONSerializer
from compliance.api.urls import urlpatterns

#: Behind an account, or the token of one: what they may do is bounded by people.
STAFF = ("staff-", "audit-")


def test_every_address_for_anyone_or_a_subject_has_a_limit_of_its_own_rate() -> None:
    rates = ScopedRateThrottle.THROTTLE_RATES
    open_views = {
        str(pattern.name): vars(pattern.callback)["view_class"]
        for pattern in urlpatterns
        if not str(pattern.name).startswith(STAFF) or pattern.name == "staff-tokens"
    }
    assert len(open_views) > 8
    for name, view in open_views.items():
        assert view.throttle_classes, name
        assert view.throttle_scope in rates, name


@pytest.mark.parametrize("value", [[1.5, 2.25], 7, "text", None, {"a": [1]}, True])
def test_a_shared_cache_holds_json_and_no_pickles(value: Any) -> None:
    stored = JSONSerializer().dumps(value)
    assert isinstance(stored, int) or not stored.startswith(b"\x80")
    assert JSONSerializer().loads(stored if isinstance(stored, bytes) else str(stored).encode()) == value


def test_what_is_no_json_is_not_stored() -> None:
    with pytest.raises(TypeError):
        JSONSerializer().dumps(object())
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        JSONSerializer().loads(b"\x80\x04K\x01.")


_ASK = """
import django; django.setup()
from django.conf import settings
from django.core.cache import cache
from rest_framework.settings import api_settings
from django.test import Client
statuses = [Client(headers={"host": "localhost"}).get("/api/v1/schema").status_code for _ in range(2)]
print(*statuses)
"""


def _statuses(environment: dict[str, str]) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_processes_that_share_a_cache_share_a_limit(broker_url: str, process_environment: dict[str, str]) -> None:
    url = broker_url.replace("redis+socket://", "unix://")
    environment = {**process_environment, "EXPUNGE_SCHEMA_RATE": "3/minute"}
    assert [_statuses(environment) for _ in range(2)] == [["200", "200"]] * 2, "each counts by itself"
    shared = {**environment, "EXPUNGE_CACHE_URL": url}
    RedisCache(url, {"KEY_PREFIX": "expunge"}).clear()
    assert [_statuses(shared) for _ in range(2)] == [["200", "200"], ["200", "429"]]


@pytest.mark.parametrize("url", ["memcached://x", "redis", "http://x"])
def test_a_cache_that_is_none_stops_the_start(url: str, process_environment: dict[str, str]) -> None:
    environment = {**process_environment, "EXPUNGE_CACHE_URL": url}
    run = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "EXPUNGE_CACHE_URL must be redis://" in run.stderr
