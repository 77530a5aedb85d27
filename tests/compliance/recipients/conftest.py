"""A recipient's server on this machine, with TLS, whose authority the operator of the tests trusts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.compliance.outbound.certificates import Authority
from tests.compliance.outbound.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def _outside(settings: Settings) -> Iterator[None]:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"localhost"})
    settings.PORTAL_ADDRESS = "https://expunge.example/"
    settings.DEBUG = False
    # The API's limits count in it.
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[Receiver]:
    authority = Authority(tmp_path)
    settings.OUTBOUND_CA_PATH = authority.path
    with receiving(authority.server("localhost")) as found:
        yield found
