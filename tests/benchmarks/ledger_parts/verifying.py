"""The auditor's verifier over a log of 100,000 entries with 10,000 signed statements, in a process of its own.

What is measured is `verify_export` as the command calls it, from the first file read to the report; and the peak of
resident memory of the process and its largest child.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

N_LEAVES = 100_000
N_STATEMENTS = 10_000


@dataclass(frozen=True)
class Verifying:
    """Seconds for all of it on all cores and on one, and MiB at the peak, parent and children together."""

    seconds: float
    one_core_seconds: float
    peak_mib: float
    n_entries: int
    n_statements: int


def measure() -> Verifying:
    """Make the export, then verify it twice in fresh processes."""
    from tests.benchmarks.ledger_parts.big_export import BigExport

    with tempfile.TemporaryDirectory(prefix="expunge-bench-") as name:
        export = BigExport()
        for _ in range(N_STATEMENTS // 2):
            export.complete()
        while len(export.leaves) < N_LEAVES:
            export.refuse()
        export.write(Path(name))
        all_cores, one_core = (_verify(name, n) for n in ("0", "1"))
    return Verifying(
        seconds=all_cores["seconds"],
        one_core_seconds=one_core["seconds"],
        peak_mib=all_cores["peak_mib"],
        n_entries=int(all_cores["n_entries"]),
        n_statements=N_STATEMENTS,
    )


def _verify(folder: str, n_processes: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.ledger_parts.verifying", folder, n_processes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    value: dict[str, float] = json.loads(done.stdout)
    return value


def main() -> None:
    """The measured process: verify and print figures."""
    from compliance.evidence import trust
    from compliance.evidence.verify_export import verify_export

    folder = Path(sys.argv[1])
    pinned = trust.parse((folder / "trust.json").read_bytes())
    started = time.perf_counter()
    report = verify_export(folder, trust=pinned, n_processes=int(sys.argv[2]) or None)
    seconds = time.perf_counter() - started
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "peak_mib": sum(peaks) / 1024, "n_entries": report.n_entries}))


if __name__ == "__main__":
    main()
