"""What was there before there were several logs becomes log 1, under the origin that its checkpoints name."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model
    model("ledger", "PublicKey").objects.update(valid_from=F("published_at"))
    head = model("ledger", "LogHead").objects.first()
    if head is None or head.size == 0:
        # The sequencer opens the first log with its first entry.
        return
    entry = model("ledger", "LedgerEntry").objects.first()
    log = model("ledger", "Log").objects.create(
        number=1,
        origin=settings.LEDGER_ORIGIN,
        first_position=0,
        size=head.size,
        opened_at=datetime.now(tz=UTC) if entry is None else entry.sequenced_at,
    )
    model("ledger", "SignedCheckpoint").objects.update(log=log, size=F("end"))
    model("ledger", "HashTile").objects.update(log=log)


def leave(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """The columns go in the migration before."""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_logs")]
    operations = [migrations.RunPython(fill, leave)]
