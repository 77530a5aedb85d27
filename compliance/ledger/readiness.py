"""A database without its tables, said in a sentence instead of a traceback."""

from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def refuse_missing_tables() -> None:
    """Raises CommandError unless every migration is applied, and OperationalError when the database does not answer."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"{len(missing)} migrations are not applied to this database. Run `manage.py migrate` first, "
            "or start `manage.py serve` once, which does it."
        )
