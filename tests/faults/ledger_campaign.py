"""Kills the ledger's processes at random and at every point, crashes the database, and counts what was broken.

    python -m tests.faults.ledger_campaign --kills 1000 --crashes 5

Two sequencers, two checkpointers and two publishers compete while writers append. Each death is a SIGKILL: half of them
at a random moment, half right before a statement or file operation whose number is drawn. Now and then the database
server is stopped as a crash would, and recovers from its log. In the end the promises are counted (ledger_audit.py);
the last line is JSON, and the exit code is 1 when one was broken.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.ledger_parts.installation import installation
from tests.faults import ledger_processes as processes
from tests.faults.ledger_audit import Damage, audit

N_WRITERS = 3
N_EACH = 2
MAX_POINT = 60
PAUSE_SECONDS = (0.0, 0.06)
DRAIN_SECONDS = 60


@dataclass
class Campaign:
    """Who runs, and how often somebody died."""

    folder: Path
    generator: random.Random
    crash: Callable[[], None]
    children: dict[int, str] = field(default_factory=dict)
    writers: dict[int, Path] = field(default_factory=dict)
    n_kills: int = 0
    kills: dict[str, int] = field(default_factory=dict)

    def run(self, n_kills: int, n_crashes: int) -> None:
        """Until that many children of the ledger were killed."""
        for name in processes.STEPS:
            for _ in range(N_EACH):
                self._begin(name)
        for number in range(N_WRITERS):
            path = self.folder / f"writer-{number}"
            self.writers[processes.begin_writer(path)] = path
        crash_at = sorted(self.generator.sample(range(1, max(2, n_kills)), min(n_crashes, max(1, n_kills - 1))))
        while self.n_kills < n_kills:
            time.sleep(self.generator.uniform(*PAUSE_SECONDS))
            self._reap()
            if self.generator.random() < 0.5:
                pid = self.generator.choice(list(self.children))
                os.kill(pid, signal.SIGKILL)
                self._bury(pid)
            if crash_at and self.n_kills >= crash_at[0]:
                crash_at.pop(0)
                self.crash()
        self._end()

    def _begin(self, name: str) -> None:
        die_at = self.generator.randint(1, MAX_POINT) if self.generator.random() < 0.5 else None
        self.children[processes.begin(name, die_at)] = name

    def _reap(self) -> None:
        """Children that killed themselves at their point are begun again."""
        for pid in list(self.children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._buried(pid, status)

    def _bury(self, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        self._buried(pid, status)

    def _buried(self, pid: int, status: int) -> None:
        name = self.children.pop(pid)
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"A {name} ended by itself, with status {os.waitstatus_to_exitcode(status)}.")
        self.n_kills += 1
        self.kills[name] = self.kills.get(name, 0) + 1
        self._begin(name)

    def _end(self) -> None:
        for pid in (*self.writers, *self.children):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def drain() -> None:
    """Let each process work in peace until there is nothing left to do."""
    from compliance.ledger import checkpointer, logs
    from compliance.ledger.hold import LedgerHeldError
    from compliance.ledger.leadership import AnotherLeadsError
    from compliance.ledger.models import PendingEntry

    steps = [make() for make in processes.STEPS.values()]
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        for step in steps:
            # The server may not have noticed yet that a leader is dead, and the checkpointer ends a hold by itself.
            with contextlib.suppress(AnotherLeadsError, LedgerHeldError):
                step()
        log, newest = logs.newest(), checkpointer.latest()
        if not PendingEntry.objects.exists() and log is not None and newest is not None and newest.end == log.end:
            steps[-1]()
            return
    raise RuntimeError("The ledger did not come to rest.")


def campaign(
    folder: Path, n_kills: int, n_crashes: int, seed: int, crash: Callable[[], None]
) -> tuple[Campaign, Damage]:
    """Run it in a set-up installation and count what was broken."""
    from django.conf import settings

    from compliance.ledger import keys

    keys.create_missing()
    run = Campaign(folder, random.Random(seed), crash)  # noqa: S311  which process dies is no secret
    run.run(n_kills, n_crashes)
    drain()
    return run, audit(run.writers.values(), Path(settings.LOG_DIR))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="how many processes to kill (default: 1000)")
    parser.add_argument("--crashes", type=int, default=5, help="how many times the database crashes (default: 5)")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices")
    options = parser.parse_args()
    with installation() as installed:
        run, damage = campaign(installed.folder, options.kills, options.crashes, options.seed, installed.crash)
    print(f"{run.n_kills} kills {run.kills}, {options.crashes} crashes of the database")
    for sentence in damage.sentences:
        print(sentence)
    figures = {
        "kills": run.n_kills,
        "entries": damage.n_entries,
        "acknowledged": damage.n_acknowledged,
        "checkpoints": damage.n_checkpoints,
        "gaps": damage.gaps,
        "duplicates": damage.duplicates,
        "lost": damage.lost,
        "forks": damage.forks,
    }
    print(json.dumps({"figures": figures}))
    sys.exit(0 if damage.is_none else 1)


if __name__ == "__main__":
    main()
