"""Times that can be read back, rows that change one way only, and functions that follow no session's search path.

The triggers come off while the tables are altered: SQLite makes them anew.
"""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import append_only, one_way

TABLES = (
    "ledger_ledgerentry",
    "ledger_signedcheckpoint",
    "ledger_cosignature",
    "ledger_checkpointtimestamp",
    "ledger_evidencetimestamp",
)
FIRST_TIME, LAST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
TIMES = {
    "PendingEntry": ("recorded_at",),
    "Log": ("opened_at", "frozen_at"),
    "LedgerEntry": ("recorded_at", "sequenced_at"),
    "SignedCheckpoint": ("signed_at",),
    "Cosignature": ("cosigned_at",),
    "CheckpointTimestamp": ("stamped_at",),
    "EvidenceTimestamp": ("stamped_at",),
    "Outsider": ("succeeded_at", "failing_since", "next_try_at"),
    "LedgerHold": ("since",),
    "PublicKey": ("published_at", "valid_from", "valid_until", "distrusted_from"),
}


def take_off(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.remove_statements(editor.connection.vendor, TABLES))


def put_on(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.install_statements(editor.connection.vendor, TABLES))


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    one_way.install(editor.connection)


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    one_way.remove(editor.connection)


def readable_times(model: str, columns: tuple[str, ...]) -> migrations.AddConstraint:
    within = {f"{column}__gte": FIRST_TIME for column in columns} | {f"{column}__lt": LAST_TIME for column in columns}
    name = f"{model.lower()}_times_are_readable"
    return migrations.AddConstraint(model, models.CheckConstraint(condition=models.Q(**within), name=name))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0014_ledger_hold")]
    operations = [
        migrations.RunPython(take_off, put_on),
        *(readable_times(model, columns) for model, columns in TIMES.items()),
        migrations.RunPython(put_on, take_off),
        migrations.RunPython(install, remove),
    ]
