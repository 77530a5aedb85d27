"""How many requests the API takes in, beside a bare create view of REST framework.

Both are called through the service's whole WSGI application without a network, by as many processes and threads as the
image's gunicorn has, each calling again as soon as it was answered. They take turns on one durable PostgreSQL, so that
whatever else the machine does meets both; the ratio is the median over the turns. Limits on how often an address may
ask are off, and no broker is told.
"""

import io
import itertools
import json
import multiprocessing
import statistics
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast
from wsgiref.util import setup_testing_defaults

N_PROCESSES = 2
N_THREADS = 4
N_TURNS = 8
SECONDS = 1.5
API, BARE = "/api/v1/requests", "/bare"
Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


@dataclass(frozen=True)
class Load:
    """How hard, and for how long: seconds of each of the turns, of which each address has so many."""

    n_processes: int = N_PROCESSES
    n_threads: int = N_THREADS
    n_turns: int = N_TURNS
    seconds: float = SECONDS


@dataclass(frozen=True)
class Turn:
    """What one process did in one turn: calls a second, and the seconds of each call."""

    number: int
    path: str
    per_second: float
    seconds: list[float]


@dataclass(frozen=True)
class Intake:
    """Medians of calls a second, the median ratio of neighbouring turns, and latencies in milliseconds."""

    per_second: float
    bare_per_second: float
    ratio: float
    p50_ms: float
    p99_ms: float
    bare_p50_ms: float
    bare_p99_ms: float


def measure(load: Load | None = None) -> Intake:
    """Run the turns, after one of each that is not counted; raises RuntimeError where a call was not answered by 201."""
    load = load or Load()
    _prepare()
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(load.n_processes), context.Queue()
    processes = [context.Process(target=_serve, args=(load, begin, results)) for _ in range(load.n_processes)]
    for process in processes:
        process.start()
    turns = [turn for _ in processes for turn in results.get()]
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError(f"A part ended with {[process.exitcode for process in processes]}.")
    _check_rows(turns)
    return summary([turn for turn in turns if turn.number > 0])


def summary(turns: list[Turn]) -> Intake:
    """What the turns of all processes come to."""
    rates, seconds = {}, {}
    for path in (API, BARE):
        own = [turn for turn in turns if turn.path == path]
        numbers = sorted({turn.number for turn in own})
        rates[path] = [sum(turn.per_second for turn in own if turn.number == number) for number in numbers]
        seconds[path] = sorted(itertools.chain.from_iterable(turn.seconds for turn in own))
    ratios = [ours / bare for ours, bare in zip(rates[API], rates[BARE], strict=True)]
    return Intake(
        per_second=statistics.median(rates[API]),
        bare_per_second=statistics.median(rates[BARE]),
        ratio=statistics.median(ratios),
        p50_ms=1000 * quantile(seconds[API], 0.5),
        p99_ms=1000 * quantile(seconds[API], 0.99),
        bare_p50_ms=1000 * quantile(seconds[BARE], 0.5),
        bare_p99_ms=1000 * quantile(seconds[BARE], 0.99),
    )


def quantile(ordered: list[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _prepare() -> None:
    from tests.benchmarks.api_parts import bare

    bare.create_table()


def _serve(load: Load, begin: Any, results: Any) -> None:
    """One process: its threads keep their connections from turn to turn."""
    application = _application()
    turns = []
    with ThreadPoolExecutor(load.n_threads) as pool:
        for number, path in itertools.product(range(load.n_turns + 1), (API, BARE)):
            begin.wait()
            began = time.perf_counter()
            threads = [pool.submit(_call_until, application, path, began + load.seconds) for _ in range(load.n_threads)]
            seconds = [each for thread in threads for each in thread.result()]
            turns.append(Turn(number, path, len(seconds) / (time.perf_counter() - began), seconds))
    results.put(turns)


def _application() -> Application:
    """The service's own, as in production: no debugging, which would note every statement and search every folder."""
    import django
    from django.conf import settings

    settings.DEBUG = settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    settings.ROOT_URLCONF = "tests.benchmarks.api_parts.bare"
    rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    rates["submit"] = None
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    django.setup()
    from compliance.wsgi import application

    serving: Any = application
    return cast(Application, serving)


def _call_until(application: Application, path: str, end: float) -> list[float]:
    seconds = []
    while (began := time.perf_counter()) < end:
        call(application, path)
        seconds.append(time.perf_counter() - began)
    return seconds


def call(application: Application, path: str) -> bytes:
    """One request of a new person; the body of the answer. Raises RuntimeError for another status than 201."""
    body = json.dumps(_body(path, f"{uuid.uuid4()}@example.org")).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    answer = application(environ, lambda status, *_: statuses.append(status))
    content = b"".join(answer)
    # What tells Django that the request is over.
    getattr(answer, "close", lambda: None)()
    if not statuses[0].startswith("201"):
        raise RuntimeError(f"{path} answered {statuses[0]}.")
    return content


def _body(path: str, address: str) -> dict[str, Any]:
    rest = {"ground": "art17_1_b", "regulation": "gdpr", "locale": "en"}
    if path == API:
        return {"identifier": {"kind": "email", "value": address}, **rest}
    return {"identifier_kind": "email", "identifier_value": address, **rest}


def _check_rows(turns: list[Turn]) -> None:
    """Every answer stands for a row, and every request for its entry and its sealed identity."""
    from compliance.ledger.models import PendingEntry
    from compliance.requests.models import DeletionRequest, SubjectVault
    from tests.benchmarks.api_parts.bare import BareRequest

    n_calls = {path: sum(len(turn.seconds) for turn in turns if turn.path == path) for path in (API, BARE)}
    ours = {model.__name__: model.objects.count() for model in (DeletionRequest, SubjectVault, PendingEntry)}
    if set(ours.values()) != {n_calls[API]} or BareRequest._default_manager.count() != n_calls[BARE]:
        raise RuntimeError(f"Expected a row for each of {n_calls} answers, found {ours}.")
