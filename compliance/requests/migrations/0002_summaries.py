"""Signed summaries of completed requests, the log of a job's challenge, and vault rows that were shredded."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def name_the_only_log(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Until now there was one log."""
    apps.get_model("requests", "Job").objects.exclude(challenge_size=None).update(challenge_log=1)


def leave(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """The column goes with its field."""


class Migration(migrations.Migration):
    dependencies = [("requests", "0001_initial")]
    operations = [
        migrations.AddField("Job", "challenge_log", models.PositiveIntegerField(null=True)),
        migrations.AddField("SubjectVault", "shredded_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Summary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("envelope", models.BinaryField()),
                ("leaf_sha256", models.CharField(max_length=64)),
                ("key_sha256", models.CharField(max_length=64)),
                ("attached_at", models.DateTimeField()),
                (
                    "target",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="summary", to="requests.target"
                    ),
                ),
            ],
        ),
        migrations.RunPython(name_the_only_log, leave),
    ]
