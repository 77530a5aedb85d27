"""The measurements run at a tiny size, and what they make of their times is right."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.requests import queries
from compliance.requests.actions.submit import submit
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.benchmarks.api_parts import intake, lists
from tests.benchmarks.api_parts.intake import API, BARE, Turn
from tests.benchmarks.api_parts.lists import Cost

TINY = """
import json
from tests.benchmarks.api_parts import intake, lists
from tests.benchmarks.ledger_parts.installation import installation

if __name__ == "__main__":
    with installation() as made:
        taken = intake.measure(intake.Load(n_processes=2, n_threads=2, n_turns=1, seconds=0.2))
        measured = lists.measure(made, {200: 100, 400: 1095}, n_calls=2)
        from compliance.requests import queries
        from compliance.requests.models import DeletionRequest, SubjectVault
        from tests.benchmarks.api_parts import kept, seeding
        n_requests = DeletionRequest.objects.count()
        for _ in range(2):
            kept.fill(n_requests + 100, 1095)
            n_kept = DeletionRequest.objects.count()
            seeding.grow = None
        print(json.dumps({
            "n_kept": n_kept - n_requests,
            "ratio": taken.ratio,
            "p50_ms": taken.p50_ms,
            "n_requests": n_requests,
            "n_without_vault": DeletionRequest.objects.filter(vault=None).count(),
            "n_states": sum(n > 0 for n in queries.counts_by_state().values()),
            "n_queries": {name: cost.n_queries for name, cost in (measured.pages[400] | measured.queries[400]).items()},
        }))
"""


@pytest.mark.slow
def test_both_parts_run_on_a_database_of_their_own() -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "EXPUNGE_KEYS_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-c", TINY], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert 0 < found["ratio"] < 2 and found["p50_ms"] > 0
    # Those that were taken in are more than 400 where the machine is fast; none is added then.
    assert found["n_requests"] >= 400 and found["n_without_vault"] == 0
    assert found["n_states"] >= 8
    assert found["n_kept"] == 100
    assert min(found["n_queries"].values()) > 0 and max(found["n_queries"].values()) < 20


def test_an_answer_that_is_no_201_stops_the_measurement() -> None:
    def refusing(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("429 Too Many Requests", [])
        return [b""]

    with pytest.raises(RuntimeError, match="answered 429"):
        intake.call(refusing, API)


def test_the_ratio_is_the_median_of_neighbouring_turns_over_all_processes() -> None:
    rates = {1: (10.0, 20.0), 2: (30.0, 40.0), 3: (1.0, 100.0)}
    turns = [
        Turn(number, path, rate / 2, [0.001, 0.003])
        for number, pair in rates.items()
        for path, rate in zip((API, BARE), pair, strict=True)
        for _process in range(2)
    ]
    measured = intake.summary(turns)
    assert (measured.per_second, measured.bare_per_second, measured.ratio) == (10.0, 40.0, 0.5)
    assert (measured.p50_ms, measured.p99_ms) == (3.0, 3.0)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.95, 4.0), (1.0, 4.0)])
def test_a_quantile_is_one_of_the_values(share: float, expected: float) -> None:
    assert intake.quantile([1.0, 2.0, 3.0, 4.0], share) == expected


def test_the_worst_ratio_is_that_of_the_list_that_grew_most() -> None:
    costs = {1: {"a": Cost(1.0, 1), "b": Cost(10.0, 1)}, 5: {"a": Cost(3.0, 1), "b": Cost(11.0, 1)}}
    assert lists.worst_ratio(costs) == 3.0
    assert lists.ratio(costs, "b") == 1.1


def test_more_queries_for_more_rows_stop_the_measurement() -> None:
    lists._refuse_more_queries({"a": Cost(1.0, 3)}, {"a": Cost(9.0, 3)})
    with pytest.raises(RuntimeError, match=r"more for a\."):
        lists._refuse_more_queries({"a": Cost(1.0, 3)}, {"a": Cost(1.0, 4)})


@pytest.mark.django_db
def test_states_are_counted_up_to_a_bound_in_one_query() -> None:
    for number in range(5):
        submit(identifier_kind="email", identifier_value=f"a{number}@example.org")
    DeletionRequest.objects.filter(pk=DeletionRequest.objects.values("pk")[:1]).update(state=RequestState.COMPLETED)
    with CaptureQueriesContext(connection) as captured:
        counts = queries.counts_by_state()
        bounded = queries.counts_by_state(most=3)
    assert len(captured) == 2
    assert counts == dict.fromkeys(RequestState.values, 0) | {"received": 4, "completed": 1}
    assert bounded == dict.fromkeys(RequestState.values, 0) | {"received": 3, "completed": 1}


@pytest.mark.django_db
def test_taking_a_request_in_takes_three_rows_and_one_question() -> None:
    """The outbox, the request and the vault, and whether a webhook is to be told; what more there is costs its rate."""
    submit(identifier_kind="email", identifier_value="first@example.org")
    with CaptureQueriesContext(connection) as captured:
        submit(identifier_kind="email", identifier_value="second@example.org")
    said = [query["sql"].split()[0] for query in captured if "advisory" not in query["sql"]]
    assert (said.count("INSERT"), said.count("SELECT"), said.count("UPDATE")) == (3, 1, 0)
