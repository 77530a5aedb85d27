"""What the vault costs: seal and open one request, and wrap many anew, on a durable PostgreSQL.

    python -m tests.benchmarks.vault [ROWS]

The last line is JSON.
"""

import json
import resource
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.ledger_parts.installation import installation

N_ROWS = 10_000
N_TURNS = 2_000


def main() -> None:
    """Print a table, and the figures as the last line."""
    n_rows = int(sys.argv[1]) if sys.argv[1:] else N_ROWS
    with installation() as made:
        figures = _one_request(made.folder) | _many(n_rows)
    for name, value in figures.items():
        print(f"{name:<40} {value:>12,.2f}")
    print(json.dumps({"figures": {name: round(value, 4) for name, value in figures.items()}}))


def _one_request(folder: Path) -> dict[str, float]:
    """Microseconds, with one key of the environment and with a folder of keys."""
    from django.conf import settings

    from compliance.vault.key_folder import KeyFolder

    settings.VAULT_MASTER_KEYS_DIR = None
    figures = _sealing("one_key")
    settings.VAULT_MASTER_KEYS_DIR = folder / "vault-keys"
    KeyFolder(settings.VAULT_MASTER_KEYS_DIR).create()
    return figures | _sealing("folder")


def _sealing(name: str) -> dict[str, float]:
    """Without the row's own way to the database and back; the lock on the keys is in it."""
    from django.db import transaction

    from compliance.requests import identities
    from compliance.requests.models import DeletionRequest

    request = DeletionRequest(id=uuid.uuid4())
    with transaction.atomic():
        vault = identities.seal(request, "email", "a@example.org", bytes(32))
        seal_us = _us(lambda: identities.seal(request, "email", "a@example.org", bytes(32)))
    note = identities.seal_note(vault, "words " * 50)
    return {
        f"{name}_seal_us": seal_us,
        f"{name}_open_us": _us(lambda: identities.identifier(vault)),
        f"{name}_open_note_us": _us(lambda: identities.open_note(vault, note)),
    }


def _us(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(N_TURNS):
        act()
    return (time.perf_counter() - begun) / N_TURNS * 1e6


def _many(n_rows: int) -> dict[str, float]:
    """Seconds of a rewrap, and how much memory it took beyond what the process had."""
    from compliance.requests.identities import wrapping_context
    from compliance.requests.models import SubjectVault
    from compliance.vault import ring
    from compliance.vault.rewrapping import rewrap, waiting

    _fill(n_rows)
    folder = ring.configured().folder
    assert folder is not None
    folder.make_current(folder.create().key_id)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    n_done = sum(step.n_rewrapped for step in rewrap(SubjectVault.objects.all(), wrapping_context))
    seconds = time.perf_counter() - begun
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert n_done == n_rows and not waiting(SubjectVault.objects.all(), folder.current_id()).exists()
    return {"rewrapped_rows": n_done, "rewrap_seconds": seconds, "rewrap_grew_mib": grown / 1024}


def _fill(n_rows: int) -> None:
    from django.db import transaction

    from compliance.requests import identities
    from compliance.requests.models import DeletionRequest, SubjectVault
    from compliance.requests.states import RequestState

    now = datetime.now(tz=UTC)
    for start in range(0, n_rows, 1000):
        requests = [
            DeletionRequest(
                id=uuid.uuid4(),
                state=RequestState.RECEIVED,
                received_at=now,
                changed_at=now,
                due_date=now.date(),
                token_sha256=f"{start + number:064x}",
            )
            for number in range(min(1000, n_rows - start))
        ]
        with transaction.atomic():
            DeletionRequest.objects.bulk_create(requests)
            SubjectVault.objects.bulk_create(
                identities.seal(request, "email", "a@example.org", bytes(32)) for request in requests
            )


if __name__ == "__main__":
    main()
