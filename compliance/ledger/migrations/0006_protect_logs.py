"""The columns of 0004 become binding, witnesses and time stamps get their tables, and the triggers return."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import append_only

TABLES = (
    "ledger_ledgerentry",
    "ledger_signedcheckpoint",
    "ledger_cosignature",
    "ledger_checkpointtimestamp",
    "ledger_evidencetimestamp",
)


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.install_statements(editor.connection.vendor, TABLES))


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.remove_statements(editor.connection.vendor, TABLES))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_first_log")]
    operations = [
        migrations.DeleteModel("LogHead"),
        migrations.AlterField("SignedCheckpoint", "size", models.PositiveBigIntegerField()),
        migrations.AlterField(
            "SignedCheckpoint",
            "log",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="checkpoints", to="ledger.log"),
        ),
        migrations.RemoveConstraint("HashTile", "one_tile_per_place"),
        migrations.AlterField(
            "HashTile",
            "log",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="tiles", to="ledger.log"),
        ),
        migrations.AddConstraint(
            "HashTile", models.UniqueConstraint(fields=("log", "level", "index"), name="one_tile_per_place")
        ),
        migrations.AlterField("PublicKey", "valid_from", models.DateTimeField()),
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cosignatures",
                        to="ledger.signedcheckpoint",
                    ),
                ),
                ("witness", models.CharField(max_length=255)),
                ("line", models.BinaryField()),
                ("cosigned_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("checkpoint", "witness"), name="one_cosignature_per_witness")
                ]
            },
        ),
        migrations.CreateModel(
            name="CheckpointTimestamp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="timestamp",
                        to="ledger.signedcheckpoint",
                    ),
                ),
                ("token", models.BinaryField()),
                ("stamped_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="EvidenceTimestamp",
            fields=[
                ("leaf_sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("token", models.BinaryField()),
                ("stamped_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(install, remove),
    ]
