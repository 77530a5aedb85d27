"""Disasters that no process survives alone: an old backup is restored, a guard is lost, a disk is full.

    python -m tests.faults.ledger_disasters

Each scene is played on a real, durable PostgreSQL of its own. The last line is JSON with one word for each scene;
the exit code is 1 when one of them ended otherwise than it must.
"""

import contextlib
import errno
import io
import json
import os
import resource
import shutil
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.ledger_parts.installation import Installation, installation
from tests.faults.ledger_audit import audit
from tests.faults.ledger_campaign import drain


def append(n_entries: int) -> None:
    """Write entries, each in a transaction of its own."""
    from django.db import transaction

    from compliance.ledger.actors import SYSTEM
    from compliance.ledger.record import record_event

    facts = {"job": str(uuid.uuid4()), "target": str(uuid.uuid4()), "reason": "unexpected_error"}
    for _ in range(n_entries):
        with transaction.atomic():
            record_event("job.failed", actor=SYSTEM, facts=facts, request_id=uuid.uuid4(), previous="0" * 64)


def restored_backup(installed: Installation) -> str:
    """A backup from before the last checkpoint is restored: nothing is signed, also after the log has grown past it."""
    from django.db import connections

    from compliance.ledger import hold
    from compliance.ledger.checkpointer import LogForkError, sign_checkpoint
    from compliance.ledger.hold import LedgerHeldError
    from compliance.ledger.sequencer import sequence_batch

    append(20)
    drain()
    data = installed.folder / "postgres" / "data"
    with _stopped(installed):
        shutil.copytree(data, installed.folder / "old", copy_function=_copy_with_owner)
    append(20)
    drain()
    with _stopped(installed):
        data.rename(installed.folder / "newer")
        (installed.folder / "old").rename(data)
    with contextlib.suppress(LogForkError):
        sign_checkpoint()
        return "signed a second history"
    append(60)
    with contextlib.suppress(LedgerHeldError):
        sequence_batch()
        return "gave the positions of lost entries to others"
    # Also where the sequencer had been quicker, nothing is signed.
    hold.lift()
    while sequence_batch():
        pass
    with contextlib.suppress(LogForkError):
        sign_checkpoint()
        return "signed a second history"
    # The missing entries come back: it goes on where it was.
    connections.close_all()
    with _stopped(installed):
        data.rename(installed.folder / "wrong")
        (installed.folder / "newer").rename(data)
    append(5)
    drain()
    return _verdict(installed)


def lost_database(installed: Installation) -> str:
    """The database is begun anew while the guard remembers the old log: nothing is signed."""
    from django.conf import settings

    from compliance.ledger.checkpointer import LogForkError, sign_checkpoint
    from compliance.ledger.guard import Guard, SignedHead

    guard = Guard(settings.CHECKPOINT_GUARD_PATH)
    kept = settings.CHECKPOINT_GUARD_PATH.read_bytes()
    with guard.locked():
        guard.remember(SignedHead(origin="elsewhere.example/1999", size=5, root_sha256="ab" * 32, note=b"x"))
    try:
        append(1)
        sign_checkpoint()
    except LogForkError:
        settings.CHECKPOINT_GUARD_PATH.write_bytes(kept)
        drain()
        return _verdict(installed)
    return "signed beside a log that is gone"


def lost_guard(installed: Installation) -> str:
    """The disk of the guard is replaced by an empty one: nothing is signed until a person takes the heads over."""
    from django.conf import settings
    from django.core.management import call_command

    from compliance.ledger.checkpointer import sign_checkpoint
    from compliance.ledger.guard import GuardError

    settings.CHECKPOINT_GUARD_PATH.unlink()
    append(3)
    with contextlib.suppress(GuardError):
        sign_checkpoint()
        return "signed without knowing what was signed before"
    call_command("checkpointer", "--adopt-heads", "--yes", verbosity=0, stdout=io.StringIO())
    drain()
    return _verdict(installed)


def full_disk(installed: Installation) -> str:
    """No file may grow: the guard and the published files refuse, nothing is half-written, and all goes on later."""
    append(10)
    outcomes = [_in_child(_with_full_disk(step)) for step in ("checkpointer", "publisher")]
    if outcomes[0] != errno.EFBIG:
        return f"the checkpointer ended with {outcomes[0]}"
    drain()
    return _verdict(installed)


def _with_full_disk(name: str) -> Callable[[], int]:
    def run() -> int:
        from compliance.ledger.guard import GuardError
        from compliance.ledger.log_store import StoreError
        from tests.faults.ledger_processes import STEPS

        step = STEPS[name]()
        if name == "checkpointer":
            from compliance.ledger.sequencer import sequence_batch

            sequence_batch()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            step()
        except (GuardError, StoreError, OSError):
            return errno.EFBIG
        return 0

    return run


def _in_child(run: Callable[[], int]) -> int:
    """The exit code of a forked child."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = run()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _copy_with_owner(source: str, target: str) -> object:
    copied = shutil.copy2(source, target)
    status = Path(source).stat()
    with contextlib.suppress(PermissionError):
        os.chown(target, status.st_uid, status.st_gid)
    return copied


@contextlib.contextmanager
def _stopped(installed: Installation) -> Iterator[None]:
    from django.db import connections

    connections.close_all()
    if installed.server is None:
        raise RuntimeError("These scenes need a server of their own: unset DATABASE_URL.")
    installed.server.stop()
    yield
    for folder in installed.folder.glob("postgres/data/**/"):
        _give_to_owner_of(folder, installed.folder / "postgres")
    installed.server.restart()


def _give_to_owner_of(folder: Path, model: Path) -> None:
    """Copied folders belong to whoever copied them; the server insists on its own."""
    status = model.stat()
    with contextlib.suppress(PermissionError):
        os.chown(folder, status.st_uid, status.st_gid)
    folder.chmod(0o700)


def _verdict(installed: Installation) -> str:
    from django.conf import settings

    damage = audit([], Path(settings.LOG_DIR))
    return "held" if damage.is_none else f"broken: {damage}"


SCENES: tuple[Callable[[Installation], str], ...] = (restored_backup, lost_database, lost_guard, full_disk)


def main() -> None:
    """Play all scenes, one after the other, in one installation."""
    outcomes = {}
    with installation() as installed:
        from compliance.ledger import keys

        keys.create_missing()
        for scene in SCENES:
            outcomes[scene.__name__] = scene(installed)
    print(json.dumps(outcomes))
    sys.exit(0 if set(outcomes.values()) == {"held"} else 1)


if __name__ == "__main__":
    main()
