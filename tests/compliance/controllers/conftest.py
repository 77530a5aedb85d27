"""Each test here has OpenDSR switched on, with a certificate of a test authority."""

from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.compliance.controllers.installation import present_authority, switch_on, valid_terms
from tests.compliance.opendsr.authority import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return present_authority()


@pytest.fixture(autouse=True)
def _switched_on(settings: Settings, tmp_path: Path, authority: Authority) -> None:
    cache.clear()
    switch_on(settings, tmp_path / "opendsr", authority.identity(terms=valid_terms()))
