"""The disk of the database fills up while entries are written: none that was acknowledged is lost, and it goes on later.

    python -m tests.faults.ledger_full_disk

The database lies on a small disk of its own (tmpfs), for which the account must be allowed to mount one; where it is
not, the scene says so and is not played. The last line is JSON; the exit code is 1 when a promise was broken.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.ledger_parts.installation import Installation, installation
from tests.faults.ledger_audit import audit
from tests.faults.ledger_campaign import drain

DISK_MEGABYTES = 220
CHUNK_BYTES = 2**20


def main() -> None:
    """Play the scene."""
    with _small_disk() as disk:
        if disk is None:
            print(json.dumps({"full_database_disk": "not played: this account may not mount a disk"}))
            return
        with installation(disk) as installed:
            outcome = _play(installed, disk)
    print(json.dumps({"full_database_disk": outcome}))
    sys.exit(0 if outcome == "held" else 1)


def _play(installed: Installation, disk: Path) -> str:
    from django.conf import settings

    from compliance.ledger import keys

    keys.create_missing()
    acknowledged = installed.folder / "writer"
    n_before = _write(acknowledged, 200)
    ballast = disk / "ballast"
    _fill(ballast)
    n_full = _write(acknowledged, 5000)
    ballast.unlink()
    if installed.server is not None:
        # It may have stopped for want of room; a restart finds what was committed.
        installed.server.stop_if_running()
        installed.server.restart()
    n_after = _write(acknowledged, 50)
    drain()
    damage = audit([acknowledged], Path(settings.LOG_DIR))
    if n_before != 200 or n_after != 50 or n_full == 5000:
        return f"the disk was never full: {n_before}, {n_full}, {n_after}"
    return "held" if damage.is_none else f"broken: {damage}"


def _write(acknowledged: Path, n_entries: int) -> int:
    """Append until the database refuses; returns how many were acknowledged."""
    import uuid

    from django.db import Error, connections, transaction

    from compliance.ledger.actors import SYSTEM
    from compliance.ledger.record import record_event

    facts = {"job": str(uuid.uuid4()), "target": str(uuid.uuid4()), "reason": "unexpected_error"}
    connections.close_all()
    with acknowledged.open("a") as notes:
        for n_done in range(n_entries):
            try:
                with transaction.atomic():
                    leaf = record_event(
                        "job.failed", actor=SYSTEM, facts=facts, request_id=uuid.uuid4(), previous="0" * 64
                    )
            except Error:
                connections.close_all()
                return n_done
            notes.write(f"{leaf}\n")
            notes.flush()
    return n_entries


def _fill(ballast: Path) -> None:
    """Take what room there is."""
    with ballast.open("wb", buffering=0) as file:
        for size in (CHUNK_BYTES, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory(prefix="expunge-disk-") as name:
        options = f"size={DISK_MEGABYTES}m,mode=0711"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", name], check=False, capture_output=True
        )
        if mounted.returncode != 0:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


if __name__ == "__main__":
    main()
