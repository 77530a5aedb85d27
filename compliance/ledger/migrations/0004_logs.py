"""One log becomes a row of logs. The triggers come off for as long as the tables are altered, and return in 0006."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import append_only

TABLES = ("ledger_ledgerentry", "ledger_signedcheckpoint")


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.remove_statements(editor.connection.vendor, TABLES))


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.install_statements(editor.connection.vendor, TABLES))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_staff_roles")]
    operations = [
        migrations.RunPython(remove, install),
        migrations.CreateModel(
            name="Log",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("origin", models.CharField(max_length=255, unique=True)),
                ("first_position", models.PositiveBigIntegerField()),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                ("frozen_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["number"]},
        ),
        migrations.RenameField("LedgerEntry", "index", "position"),
        migrations.AlterModelOptions("LedgerEntry", {"ordering": ["position"]}),
        migrations.RenameField("SignedCheckpoint", "size", "end"),
        migrations.AlterModelOptions("SignedCheckpoint", {"ordering": ["end"]}),
        migrations.AddField("SignedCheckpoint", "size", models.PositiveBigIntegerField(default=0)),
        migrations.AddField(
            "SignedCheckpoint",
            "log",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="checkpoints", to="ledger.log"
            ),
        ),
        migrations.AddField(
            "HashTile",
            "log",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="tiles", to="ledger.log"
            ),
        ),
        migrations.AddField("PublicKey", "valid_from", models.DateTimeField(null=True)),
        migrations.AddField("PublicKey", "valid_until", models.DateTimeField(null=True)),
        migrations.AddField("PublicKey", "distrusted_from", models.DateTimeField(null=True)),
    ]
