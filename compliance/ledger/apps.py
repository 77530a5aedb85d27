"""The append-only log."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "compliance.ledger"
    label = "ledger"

    def ready(self) -> None:
        """What the database keeps for the ledger follows the code with every `migrate`, without a migration each."""
        post_migrate.connect(_follow_the_code, sender=self, dispatch_uid="ledger.follow_the_code")
        # After the code, which may have made a function anew.
        post_migrate.connect(_follow_the_tables, sender=self, dispatch_uid="ledger.follow_the_tables")


def _follow_the_code(*, using: str, **_: Any) -> None:
    """Bring the allow-list of leaves and the one-way triggers up to date, where their migrations are applied."""
    from django.db.migrations.recorder import MigrationRecorder

    from compliance.ledger import leaf_check, one_way

    connection = connections[using]
    applied = MigrationRecorder(connection).applied_migrations()
    if ("ledger", "0011_leaf_check") in applied:
        leaf_check.install(connection)
    if ("ledger", "0015_one_way") in applied:
        one_way.install(connection)


def _follow_the_tables(*, using: str, **_: Any) -> None:
    """Grant what the matrix says on tables that are new, where the migration that makes the roles is applied."""
    from compliance.ledger import roles

    roles.follow_the_tables(connections[using])
