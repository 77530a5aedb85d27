"""A receiver on this machine, which the operator of the tests has allowed by name."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.compliance.outbound.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def _allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1"})
    settings.DEBUG = False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
