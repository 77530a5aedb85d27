from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Q


def repeat(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """What the rows beside them say already."""
    shredded = apps.get_model("requests", "SubjectVault").objects.exclude(shredded_at=None)
    requests = apps.get_model("requests", "DeletionRequest").objects
    requests.filter(pk__in=shredded.values("request")).update(is_shredded=True)
    summaries = apps.get_model("requests", "Summary").objects.all()
    apps.get_model("requests", "Target").objects.filter(pk__in=summaries.values("target")).update(is_summarised=True)


def leave(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """The columns go with their fields."""


_STILL_NAMED = Q(closed_at__isnull=False, is_shredded=False)
_UNPROVEN = Q(state="closed_unverified") | Q(state="withdrawn", identity_level=0)


class Migration(migrations.Migration):
    dependencies = [("requests", "0005_indexes"), ("registry", "0002_declared_sources")]
    operations = [
        migrations.AddField("deletionrequest", "is_shredded", models.BooleanField(default=False)),
        migrations.AddField("deletionrequest", "searched_at", models.DateTimeField(null=True)),
        migrations.AddField("target", "is_summarised", models.BooleanField(default=False)),
        # Before the indexes, which would grow with each of these rows.
        migrations.RunPython(repeat, leave),
        migrations.RemoveIndex("deletionrequest", "requests_by_state"),
        migrations.AddIndex(
            "deletionrequest", models.Index(fields=["state", "-received_at", "id"], name="requests_by_state")
        ),
        migrations.AddIndex(
            "deletionrequest", models.Index(fields=["channel", "-received_at", "id"], name="requests_by_channel")
        ),
        migrations.AddIndex(
            "deletionrequest", models.Index(fields=["regulation", "-received_at", "id"], name="requests_by_regulation")
        ),
        migrations.AddIndex(
            "deletionrequest",
            models.Index(fields=["closed_at", "id"], condition=_STILL_NAMED, name="closed_requests_still_named"),
        ),
        migrations.AddIndex(
            "deletionrequest",
            models.Index(
                fields=["closed_at", "id"], condition=_UNPROVEN & _STILL_NAMED, name="unproven_requests_still_named"
            ),
        ),
        migrations.AddIndex(
            "deletionrequest",
            models.Index(fields=["searched_at"], condition=Q(state="under_review"), name="reviews_by_search"),
        ),
        migrations.AddIndex(
            "identitychallenge", models.Index(fields=["request"], condition=Q(sent_at=None), name="codes_not_sent")
        ),
        migrations.AddIndex(
            "letter",
            models.Index(fields=["request"], condition=Q(kind="identity_reminder"), name="reminders_of_identity"),
        ),
        migrations.AddIndex(
            "job",
            models.Index(fields=["model", "queued_at", "id"], condition=Q(state="queued"), name="queued_jobs_by_model"),
        ),
        migrations.AddIndex(
            "target",
            models.Index(
                fields=["request"],
                condition=Q(state="deployed", is_summarised=False),
                name="targets_not_summarised",
            ),
        ),
    ]
