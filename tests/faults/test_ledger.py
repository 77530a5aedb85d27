"""A short run of what `python -m tests.faults.ledger_campaign` and `…ledger_disasters` do at length."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from compliance.ledger import checkpointer
from compliance.ledger.models import HashTile, SignedCheckpoint
from tests.compliance import cast
from tests.faults.ledger_audit import Damage, audit

SECONDS = 300


def _run(module: str, *arguments: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EXPUNGE_", "DATABASE_"))}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, check=False, cwd=settings.ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


def test_killed_processes_and_a_crashed_database_break_no_promise() -> None:
    figures = _run("tests.faults.ledger_campaign", "--kills", "60", "--crashes", "1")["figures"]
    assert {name: figures[name] for name in ("gaps", "duplicates", "lost", "forks")} == {
        "gaps": 0,
        "duplicates": 0,
        "lost": 0,
        "forks": 0,
    }
    assert figures["kills"] >= 60
    assert figures["acknowledged"] > 100, "writers must have been at work"


def test_no_disaster_makes_the_ledger_sign_a_second_history() -> None:
    outcomes = _run("tests.faults.ledger_disasters")
    assert len(outcomes) >= 3
    assert set(outcomes.values()) == {"held"}


def test_a_full_disk_of_the_database_loses_no_acknowledged_entry() -> None:
    outcome = _run("tests.faults.ledger_full_disk")["full_database_disk"]
    if outcome.startswith("not played"):
        pytest.skip(outcome)
    assert outcome == "held"


# --- The audit itself finds what is broken ------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_undamaged_ledger_is_found_undamaged(tmp_path: Path) -> None:
    assert _damage(tmp_path).is_none


@pytest.mark.django_db
def test_an_acknowledged_entry_that_is_not_there_is_lost(tmp_path: Path) -> None:
    (tmp_path / "writer").write_text("ab" * 32 + "\n" + "half a li")
    damage = _damage(tmp_path)
    assert (damage.lost, damage.n_acknowledged) == (1, 1)


@pytest.mark.django_db
def test_a_checkpoint_over_other_entries_is_a_fork(tmp_path: Path) -> None:
    cast.ask()
    cast.run_ledger()
    signed = checkpointer.latest()
    assert signed is not None
    SignedCheckpoint.objects.create(
        end=signed.end + 10_000,
        log=signed.log,
        size=signed.size - 1,
        root_sha256="ab" * 32,
        note=b"",
        note_sha256="",
        signed_at=signed.signed_at,
    )
    assert _damage(tmp_path).forks == 1


@pytest.mark.django_db
def test_a_head_that_the_database_does_not_hold_is_a_fork(tmp_path: Path) -> None:
    cast.ask()
    cast.run_ledger()
    kept = settings.CHECKPOINT_GUARD_PATH.read_bytes()
    signed = checkpointer.latest()
    assert signed is not None
    size = b'"size":%d' % signed.size
    settings.CHECKPOINT_GUARD_PATH.write_bytes(kept.replace(size, b'"size":7777'))
    assert _damage(tmp_path).forks == 1


@pytest.mark.django_db
def test_the_tiles_have_no_part_in_the_verdict(tmp_path: Path) -> None:
    """The audit computes from leaves: tiles that lie must not make a wrong checkpoint look right."""
    cast.ask()
    cast.run_ledger()
    HashTile.objects.update(hashes=b"\x00" * 32)
    assert _damage(tmp_path).is_none


def _damage(folder: Path) -> Damage:
    return audit([folder / "writer"], folder / "log")
