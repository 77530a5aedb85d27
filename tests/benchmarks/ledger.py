"""How fast the ledger takes entries, and what it costs to grow, to prove and to verify.

    python -m tests.benchmarks.ledger [appending] [growing] [verifying]

Every rate stands beside a yardstick that was measured in the same run on the same server. The last line is JSON.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from subprocess import PIPE

from tests.benchmarks.ledger_parts import appending, growing, verifying
from tests.benchmarks.ledger_parts.installation import installation

Row = tuple[str, float, str]


def main() -> None:
    """Measure what is asked for (everything by default), print a table, and the figures as the last line."""
    asked = sys.argv[1:] or list(PARTS)
    if len(asked) == 1:
        rows, figures = PARTS[asked[0]]()
        for title, value, unit in rows:
            print(f"{title:<66} {value:>12,.3f} {unit}")
    else:
        figures = {}
        for name in asked:
            # A process of its own: settings are read once, and each part has its own database.
            done = subprocess.run([sys.executable, "-m", __spec__.name, name], check=True, stdout=PIPE, text=True)
            *table, last = done.stdout.splitlines()
            print(*table, sep="\n", flush=True)
            figures |= json.loads(last)["figures"]
    print(json.dumps({"figures": {name: round(value, 4) for name, value in figures.items()}}))


def _appending() -> tuple[list[Row], dict[str, float]]:
    with installation():
        measured = appending.measure()
    rows = [
        ("appends through Django, 8 writers", measured.appends_per_second, "entries/s"),
        ("rows by COPY, batches of 100, 8 writers", measured.copied_per_second, "rows/s"),
        ("one row a commit under a locked counter, 8 writers", measured.single_per_second, "rows/s"),
        ("intake to signed checkpoint, 99th percentile", measured.p99_checkpoint_seconds, "s"),
    ]
    return rows, {
        "appends_per_second": measured.appends_per_second,
        "ratio_to_copy": measured.appends_per_second / measured.copied_per_second,
        "ratio_to_single": measured.appends_per_second / measured.single_per_second,
        "p99_checkpoint_seconds": measured.p99_checkpoint_seconds,
    }


def _growing() -> tuple[list[Row], dict[str, float]]:
    with installation():
        costs = growing.measure()
    rows = [
        row
        for cost in costs
        for row in (
            (f"position one entry at {cost.size:,}", cost.append_ms, "ms"),
            (f"sign the head at {cost.size:,}", cost.checkpoint_ms, "ms"),
            (f"prove an entry at {cost.size:,}", cost.proof_ms, "ms"),
        )
    ]
    first, last = costs[0], costs[-1]
    return rows, {
        "append_growth": last.append_ms / first.append_ms,
        "checkpoint_growth": last.checkpoint_ms / first.checkpoint_ms,
        "proof_growth": last.proof_ms / first.proof_ms,
        # 1 when each tenfold adds the same: that is growth by the logarithm.
        "proof_added_by_last_tenfold": (last.proof_ms - costs[1].proof_ms) / (costs[1].proof_ms - first.proof_ms),
    }


def _verifying() -> tuple[list[Row], dict[str, float]]:
    measured = verifying.measure()
    what = f"{measured.n_entries:,} entries and {measured.n_statements:,} statements"
    rows = [
        (f"verify {what}, all cores", measured.seconds, "s"),
        ("the same on one core", measured.one_core_seconds, "s"),
        ("peak memory, parent and largest child together", measured.peak_mib, "MiB"),
    ]
    return rows, {
        "verify_seconds": measured.seconds,
        "verify_one_core_seconds": measured.one_core_seconds,
        "verify_peak_mib": measured.peak_mib,
    }


PARTS: dict[str, Callable[[], tuple[list[Row], dict[str, float]]]] = {
    "appending": _appending,
    "growing": _growing,
    "verifying": _verifying,
}

if __name__ == "__main__":
    main()
