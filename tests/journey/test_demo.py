"""`make demo` as a user runs it: real processes, real broker, real database, real HTTP."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from compliance.ledger.models import LedgerEntry
from tests.services import free_port

REQUEST = re.compile(r"demo/([0-9a-f-]{36})\.zip")


@pytest.mark.slow
def test_the_demo_runs_twice_in_a_row_and_leaks_no_address(
    ledger_db: None, process_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {name: value for name, value in process_environment.items() if name != "EXPUNGE_DISPATCHER"}
    environment |= {"EXPUNGE_DATA_DIR": str(tmp_path), "EXPUNGE_KEYS_DIR": str(tmp_path / "keys")}
    for run in (1, 2):
        output = _demo(environment)
        found = REQUEST.search(output)
        assert found is not None, output
        assert "All 13 steps hold under the pinned trust file. State: completed." in output
        assert "(evidence_payload)" in output, "the tampered copy must be refused for the byte that was changed"
        entries = LedgerEntry.objects.filter(request_id=found[1]).exclude(event_type="request.notified")
        kinds = list(entries.values_list("event_type", flat=True))
        # One of each kind, whether the letter's has its position yet or not, but evidence and the summary of what it came to.
        assert (len(kinds), len(set(kinds)), kinds.count("evidence.attached")) == (11, 10, 2), f"run {run} left {kinds}"
    logs = "".join(path.read_text(errors="replace") for path in (tmp_path / "logs").iterdir())
    assert "example.org" not in logs


def _demo(environment: dict[str, str]) -> str:
    command = [sys.executable, str(settings.ROOT / "manage.py"), "demo", "--port", str(free_port.free_port())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
