"""Whether the process runs (/healthz), and whether it should be sent work (/readyz)."""

from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compliance.api.errors import MEDIA_TYPE, Problem
from compliance.ledger import checkpointer, hold, patrol
from compliance.ledger.models import LedgerEntry, Outsider, PendingEntry

LEDGER_GRACE = timedelta(minutes=1)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked: restarting it would not help the database."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200, or 503 with the reason."""
    problem = _why_not_ready()
    if problem is None:
        return JsonResponse({"status": "ok"})
    return JsonResponse(problem.to_dict(), status=problem.status, content_type=MEDIA_TYPE)


def _why_not_ready() -> Problem | None:
    try:
        if _has_missing_migrations():
            return _unready("migrations_missing", "The database lacks migrations. Run `manage.py migrate`.")
        if hold.current() is not None:
            return _unready(
                "ledger_held",
                "The checkpointer found that database and signed heads do not tell one history: entries get no "
                "positions until that is put right. See the portal's page on the ledger, and docs/operate.md.",
            )
        if Outsider.objects.filter(name=patrol.NAME, is_alarm=True).exists():
            return _unready(
                "ledger_changed", "Stored entries do not fit their tree. See the portal's page on the ledger."
            )
        if _is_ledger_behind(datetime.now(tz=UTC)):
            return _unready(
                "ledger_behind",
                "Entries have waited for a signed checkpoint for more than a minute. Are `manage.py sequencer` and "
                "`manage.py checkpointer` running, and what do they say?",
            )
    except DatabaseError:
        # The driver's message names hosts and users: it stays inside.
        return _unready("database_unreachable", "The database does not answer. Check DATABASE_URL and its server.")
    return None


def _unready(code: str, detail: str) -> Problem:
    return Problem(status=503, code=code, detail=detail)


def _has_missing_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _is_ledger_behind(now: datetime) -> bool:
    late = now - LEDGER_GRACE
    newest = checkpointer.latest()
    size = 0 if newest is None else newest.end
    unsigned = LedgerEntry.objects.filter(position__gte=size, sequenced_at__lt=late)
    return PendingEntry.objects.filter(recorded_at__lt=late).exists() or unsigned.exists()
