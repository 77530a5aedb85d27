"""When the process says that it is alive, and when it says that it is of use."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from django.test import Client

from compliance.api import health
from compliance.ledger import hold, outsiders, patrol
from compliance.ledger.models import PendingEntry
from compliance.ledger.sequencer import sequence_batch
from tests.compliance import cast
from tests.compliance.api.caller import refused


def _ready() -> HttpResponse:
    response = Client().get("/readyz")
    assert isinstance(response, HttpResponse)
    return response


def test_it_is_alive_without_a_database() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert Client().post("/healthz").status_code == 405


@pytest.mark.django_db
def test_it_is_ready_with_an_empty_ledger_and_with_a_signed_one() -> None:
    assert _ready().status_code == 200
    cast.ask()
    assert _ready().status_code == 200, "an entry that waits for less than a minute is on its way"
    cast.run_ledger()
    assert _ready().status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_when_an_entry_waits_for_its_position() -> None:
    cast.ask()
    PendingEntry.objects.update(recorded_at=datetime.now(tz=UTC) - timedelta(seconds=61))
    problem = refused(_ready(), 503, "ledger_behind")
    assert "sequencer" in problem["detail"]
    cast.run_ledger()
    assert _ready().status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_when_a_positioned_entry_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.run_ledger()
    cast.ask()
    sequence_batch()
    assert _ready().status_code == 200
    monkeypatch.setattr(health, "LEDGER_GRACE", timedelta(0))
    refused(_ready(), 503, "ledger_behind")


@pytest.mark.django_db
def test_it_is_not_ready_while_the_ledger_is_held() -> None:
    cast.run_ledger()
    hold.begin("The guard is missing.")
    refused(_ready(), 503, "ledger_held")
    hold.lift()
    assert _ready().status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_when_stored_entries_do_not_fit_their_tree() -> None:
    cast.run_ledger()
    outsiders.raised_alarm(patrol.NAME, "The entries 0 to 255 do not have the hashes in its tree.")
    refused(_ready(), 503, "ledger_changed")
    outsiders.succeeded(patrol.NAME)
    assert _ready().status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_when_a_migration_is_missing() -> None:
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("requests")
    MigrationRecorder(connection).record_unapplied(*newest)
    refused(_ready(), 503, "migrations_missing")


def test_it_is_not_ready_when_the_database_does_not_answer(process_environment: dict[str, str]) -> None:
    ask = "import django; django.setup(); from django.test import Client; r = Client(headers={'host': 'localhost'})"
    program = f"{ask}.get('/readyz'); print(r.status_code, r.json()['code'], r.content.decode())"
    environment = {**process_environment, "DATABASE_URL": "sqlite:////nowhere/secret-name/expunge.sqlite3"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.startswith("503 database_unreachable")
    assert "secret-name" not in run.stdout
