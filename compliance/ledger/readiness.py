"""A database that a process of the ledger cannot work with, said in a sentence instead of a traceback."""

from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


def refuse_missing_tables() -> None:
    """Raises CommandError unless every migration is applied, and OperationalError when the database does not answer."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"{len(missing)} migrations are not applied to this database. Run `manage.py migrate` first, "
            "or start `manage.py serve` once, which does it."
        )


def refuse_volatile_database(say: Callable[[str], None]) -> None:
    """Raises CommandError for a PostgreSQL that may forget what it committed; with EXPUNGE_DEBUG=1 it is only said.

    A head that was signed over entries that are lost in a crash makes the ledger fork.
    """
    off = [name for name in _DURABILITY if _shown(name) == "off"]
    if not off:
        return
    problem = (
        f"PostgreSQL runs with {', '.join(f'{name}=off' for name in off)}: after a crash it may have lost entries that "
        "were signed. Set it to on for the server and for this role."
    )
    if settings.REFUSE_VOLATILE_DATABASE:
        raise CommandError(problem)
    say(f"Warning: {problem}")


def _shown(name: str) -> str:
    if connection.vendor != "postgresql":
        return "on"
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        row = cursor.fetchone()
    return str(row[0]) if row else ""
