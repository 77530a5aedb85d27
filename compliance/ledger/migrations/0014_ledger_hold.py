"""The ledger can be held, and what does not verify no longer takes the place of what does.

The triggers come off while the tables of cosignatures and time stamps are altered.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import append_only

TABLES = ("ledger_cosignature", "ledger_checkpointtimestamp", "ledger_evidencetimestamp")


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.remove_statements(editor.connection.vendor, TABLES))


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.install_statements(editor.connection.vendor, TABLES))


def copy(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    _copy(apps, "EvidenceTimestamp", "EvidenceToken")


def copy_back(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    _copy(apps, "EvidenceToken", "EvidenceTimestamp")


def _copy(apps: StateApps, source: str, target: str) -> None:
    rows = apps.get_model("ledger", source).objects.order_by("pk").iterator()
    new = apps.get_model("ledger", target)
    for row in rows:
        new.objects.get_or_create(
            leaf_sha256=row.leaf_sha256, defaults={"token": row.token, "stamped_at": row.stamped_at}
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_log_needs_other_key")]
    operations = [
        migrations.CreateModel(
            name="LedgerHold",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("reason", models.TextField()),
                ("since", models.DateTimeField()),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(id=1), name="one_hold")]},
        ),
        migrations.RunPython(remove, install),
        migrations.RemoveConstraint("Cosignature", "one_cosignature_per_witness"),
        migrations.AddConstraint(
            "Cosignature",
            models.UniqueConstraint(fields=("checkpoint", "witness", "line"), name="each_cosignature_once"),
        ),
        migrations.AlterField(
            "CheckpointTimestamp",
            "checkpoint",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="timestamps",
                to="ledger.signedcheckpoint",
            ),
        ),
        migrations.CreateModel(
            name="EvidenceToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("leaf_sha256", models.CharField(db_index=True, max_length=64)),
                ("token", models.BinaryField()),
                ("stamped_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(copy, copy_back),
        migrations.DeleteModel("EvidenceTimestamp"),
        migrations.RenameModel("EvidenceToken", "EvidenceTimestamp"),
        migrations.RunPython(install, remove),
    ]
