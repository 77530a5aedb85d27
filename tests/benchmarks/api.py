"""What the API costs: taking requests in, beside a bare create view, and lists of up to a million requests.

    python -m tests.benchmarks.api [intake] [lists]

Ratios compare what was measured in the same run on the same PostgreSQL. The last line is JSON. On a server that
DATABASE_URL names, the databases that lists are measured in are left for the next run (`api_parts/kept.py`).
"""

import json
import subprocess
import sys
from collections.abc import Callable
from subprocess import PIPE

from tests.benchmarks.api_parts import intake, lists
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


def _intake() -> tuple[list[Row], dict[str, float]]:
    with installation():
        measured = intake.measure()
    who = f"{intake.N_PROCESSES} processes of {intake.N_THREADS} threads"
    rows = [
        (f"requests taken in, {who}", measured.per_second, "requests/s"),
        (f"rows through a bare create view, {who}", measured.bare_per_second, "rows/s"),
        ("the one beside the other, median of the turns", measured.ratio, ""),
        ("taking a request in, median", measured.p50_ms, "ms"),
        ("taking a request in, 99th percentile", measured.p99_ms, "ms"),
        ("bare create view, median", measured.bare_p50_ms, "ms"),
        ("bare create view, 99th percentile", measured.bare_p99_ms, "ms"),
    ]
    return rows, {
        "intake_per_second": measured.per_second,
        "intake_ratio": measured.ratio,
        "intake_p50_ms": measured.p50_ms,
        "intake_p99_ms": measured.p99_ms,
        "bare_p50_ms": measured.bare_p50_ms,
        "bare_p99_ms": measured.bare_p99_ms,
    }


def _lists() -> tuple[list[Row], dict[str, float]]:
    with installation() as made:
        measured = lists.measure(made)
    smallest, largest = min(measured.pages), max(measured.pages)
    rows = [(f"fill to {largest:,} requests", measured.seconds_to_fill, "s")]
    for costs in (measured.pages, measured.queries):
        for name in costs[largest]:
            n_queries = costs[largest][name].n_queries
            rows += [
                (f"{name}, {n_queries} queries, p95 at {size:,}", costs[size][name].p95_ms, "ms") for size in costs
            ]
            rows.append((f"{name}, at {largest:,} beside {smallest:,}", lists.ratio(costs, name), ""))
    figures = {"fill_seconds": measured.seconds_to_fill, "list_p95_ratio": lists.worst_ratio(measured.pages)}
    figures |= {f"{name}_p95_ratio": lists.ratio(measured.queries, name) for name in measured.queries[largest]}
    return rows, figures | {f"{name}_p95_ms": cost.p95_ms for name, cost in measured.queries[largest].items()}


PARTS: dict[str, Callable[[], tuple[list[Row], dict[str, float]]]] = {"intake": _intake, "lists": _lists}

if __name__ == "__main__":
    main()
