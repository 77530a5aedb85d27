"""What staff's lists and the sweep's queries cost when there are a thousand, a hundred thousand, a million requests.

Pages are asked for through Django with a session, as a browser does; a page's time is all that the server does for it.
The 95th percentile is the median over some batches, so that one disturbance is not the result. The number of queries of
each must not depend on the number of requests.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.benchmarks.api_parts.intake import quantile
from tests.benchmarks.ledger_parts.installation import Installation

# How many requests, and over how many days they came.
SIZES = {1_000: 100, 100_000: 3 * 365, 1_000_000: 3 * 365}
N_BATCHES, N_CALLS = 3, 30
_FILL_FAST = ("fsync = off", "full_page_writes = off", "max_wal_size = '8GB'", "session_replication_role = replica")


@dataclass(frozen=True)
class Cost:
    """The 95th percentile in milliseconds, and the number of queries, of one page or query at one size."""

    p95_ms: float
    n_queries: int


@dataclass(frozen=True)
class Lists:
    """Costs by name at each size, and the seconds that making the rows took."""

    pages: Mapping[int, Mapping[str, Cost]]
    queries: Mapping[int, Mapping[str, Cost]]
    seconds_to_fill: float


def measure(made: Installation, sizes: Mapping[int, int] = SIZES, n_calls: int = N_CALLS) -> Lists:
    """Fill to each size in turn and measure there; raises RuntimeError where more rows took more queries."""
    _prepare(made)
    from tests.benchmarks.api_parts import kept, seeding

    fill = seeding.grow if made.server is not None else kept.fill
    pages, queries, seconds = {}, {}, 0.0
    for size, n_days in sizes.items():
        began = time.perf_counter()
        fill(size, n_days)
        seconds += time.perf_counter() - began
        pages[size] = {name: _cost(call, n_calls) for name, call in _pages().items()}
        queries[size] = {name: _cost(call, n_calls) for name, call in _queries().items()}
        _refuse_more_queries(pages[min(sizes)] | queries[min(sizes)], pages[size] | queries[size])
    return Lists(pages, queries, seconds)


def worst_ratio(costs: Mapping[int, Mapping[str, Cost]]) -> float:
    """How many times as long the one that suffers most takes at the largest size as at the smallest."""
    return max(ratio(costs, name) for name in costs[min(costs)])


def ratio(costs: Mapping[int, Mapping[str, Cost]], name: str) -> float:
    """The same of one."""
    return costs[max(costs)][name].p95_ms / costs[min(costs)][name].p95_ms


def _prepare(made: Installation) -> None:
    """As in production; and a server of ours neither keeps what it is filled with nor asks whether rows fit together."""
    from django.conf import settings
    from django.db import connection

    settings.DEBUG = settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    if made.server is not None:
        with connection.cursor() as cursor:
            for setting in _FILL_FAST:
                cursor.execute(f"ALTER SYSTEM SET {setting}")
            cursor.execute("SELECT pg_reload_conf()")


def _cost(call: Callable[[], object], n_calls: int) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call()
    with CaptureQueriesContext(connection) as captured:
        call()
    n_queries = len(captured)
    batches = [sorted(_seconds(call) for _ in range(n_calls)) for _ in range(N_BATCHES)]
    return Cost(1000 * statistics.median(quantile(batch, 0.95) for batch in batches), n_queries)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _refuse_more_queries(before: Mapping[str, Cost], after: Mapping[str, Cost]) -> None:
    grown = [name for name, cost in after.items() if cost.n_queries > before[name].n_queries]
    if grown:
        raise RuntimeError(f"Expected the same number of queries at each size; there are more for {', '.join(grown)}.")


def _pages() -> dict[str, Callable[[], object]]:
    """The lists of API and portal; the one from the middle is where the newer half of the requests ends."""
    from django.urls import reverse

    from compliance.requests import keyset
    from compliance.requests.models import DeletionRequest

    middle = DeletionRequest.objects.order_by("-received_at", "id")[DeletionRequest.objects.count() // 2]
    api, portal = reverse("api:staff-requests"), reverse("portal:requests")
    asked: dict[str, tuple[str, dict[str, str]]] = {
        "API, newest first": (api, {}),
        "API, from the middle": (api, {"cursor": f"after.{keyset.cursor(middle)}"}),
        "API, completed": (api, {"state": "completed"}),
        "API, under review": (api, {"state": "under_review"}),
        "API, of a rare channel": (api, {"channel": "opendsr"}),
        "API, of a rare law": (api, {"regulation": "ccpa"}),
        "API, open by due date": (api, {"ordering": "due_date"}),
        "API, under review by due date": (api, {"ordering": "due_date", "state": "under_review"}),
        "API, overdue": (api, {"overdue": "true"}),
        "API, by the beginning of an id": (api, {"id_prefix": str(middle.pk)[:8]}),
        "portal, newest first": (portal, {}),
        "portal, from the middle": (portal, {"after": keyset.cursor(middle)}),
        "portal, completed": (portal, {"state": "completed"}),
        "portal, under review": (portal, {"state": "under_review"}),
        "portal, open by due date": (portal, {"due": "open"}),
        "portal, overdue": (portal, {"due": "overdue"}),
    }
    get = _reader()
    return {name: lambda to=to, query=query: get(to, query) for name, (to, query) in asked.items()}  # type: ignore[misc]


def _reader() -> Callable[[str, Mapping[str, str]], bytes]:
    """GET as a DPO with a session; raises RuntimeError for another status than 200."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    user, _ = User.objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get_or_create(name="dpo")[0])
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def get(address: str, query: Mapping[str, str]) -> bytes:
        answer = client.get(address, query)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}.")
        return bytes(answer.content)

    return get


def _queries() -> dict[str, Callable[[], object]]:
    from datetime import UTC, datetime

    from compliance.identity import silence
    from compliance.requests import queries, reminding, retention

    now = datetime.now(tz=UTC)
    return {
        "counts_by_state": queries.counts_by_state,
        "lost_work": lambda: queries.lost_work(now),
        "staff_reminders": lambda: reminding.due(now),
        "due_shreddings": lambda: retention.due(now),
        "silent_people": lambda: silence.silent(now),
    }
