"""One authority for the tests of the protocol; its keys are made once."""

import pytest

from .authority import Authority, new_authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return new_authority()
