"""A store of weights for each test, and the files of one small real model."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.ledger import keys
from compliance.registry.models import ModelVersion
from tests.workers import digits
from workers import process


@pytest.fixture(autouse=True)
def artifacts_dir(tmp_path: Path, settings: Settings) -> Path:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    return tmp_path / "artifacts"


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`data.npz` and `weights/`; not to be changed."""
    folder = tmp_path_factory.mktemp("digits")
    digits.write(folder)
    return folder


@pytest.fixture
def live(ledger_db: None, digits_folder: Path) -> ModelVersion:
    """The model's first version, in service; the ledger runs and the worker's catalogue is published."""
    keys.create_missing()
    return digits.registered(digits_folder)


@pytest.fixture
def another_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes this process look like a newly started worker."""

    def become() -> None:
        fresh = uuid.uuid4()
        monkeypatch.setattr(process, "_id_of", lambda pid: fresh)

    return become
