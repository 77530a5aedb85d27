"""A witness's folder that knows one log, and the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.evidence.checkpoint import VerifierKey
from compliance.evidence.witness import store
from compliance.evidence.witness.store import Store

from .history import History

NAME = "dpo.example/w1"


@pytest.fixture(scope="session")
def log() -> History:
    return History()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witness"


@pytest.fixture
def vkey(folder: Path, log: History) -> VerifierKey:
    """Makes the folder, and is its key."""
    key = store.create(folder, NAME)
    with Store.open(folder) as opened:
        opened.add_log(log.vkey)
    return key


@pytest.fixture
def opened(folder: Path, vkey: VerifierKey) -> Iterator[Store]:
    with Store.open(folder) as store_of_folder:
        yield store_of_folder
