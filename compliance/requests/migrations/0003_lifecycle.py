import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.requests.calendars import Calendar
from compliance.requests.clock import Clock
from compliance.requests.deadlines import deadlines_of
from compliance.requests.regimes import regime_named


def count_deadlines(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Requests that came before dates were kept get theirs, counted from their receipt."""
    country, _, subdivision = settings.HOLIDAYS.partition("-")
    calendar = Calendar(country=country, subdivision=subdivision or None)
    rows = apps.get_model("requests", "DeletionRequest").objects
    for request in rows.filter(due_date=None).only("pk", "regulation", "received_at").iterator():
        regime = regime_named(request.regulation)
        clock = Clock(regime=regime, calendar=calendar, zone=settings.TIME_ZONE, received_at=request.received_at)
        counted = deadlines_of(clock)
        rows.filter(pk=request.pk).update(deadlines=counted.to_dict(), due_date=counted.current.due_date)


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0002_summaries"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[("identity", "Proof of identity"), ("question", "An answer to a question")],
                        max_length=20,
                    ),
                ),
                ("from_at", models.DateTimeField()),
                ("until_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["from_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("due_date", models.DateField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RequestLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("duplicate", "The same person asked before"),
                            ("complaint", "The person says that a model still knows them"),
                            ("restore", "A restored backup brought the person back"),
                            ("relearning", "A later version learned the person again"),
                        ],
                        max_length=20,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SealedNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("question", "Question"),
                            ("answer", "Answer"),
                            ("reasons", "Reasons"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=20,
                    ),
                ),
                ("sealed_text", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="letter",
            name="one_letter_per_kind",
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="deadlines",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="due_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="extension_reason",
            field=models.CharField(
                blank=True,
                choices=[("complexity", "Complexity of the request"), ("number_of_requests", "Number of requests")],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="identity_level",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="locale",
            field=models.CharField(default="en", max_length=5),
        ),
        migrations.AddField(
            model_name="deletionrequest",
            name="submitted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="letter",
            name="commitment",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="subjectvault",
            name="master_key_id",
            field=models.CharField(default="", max_length=16),
        ),
        migrations.AddField(
            model_name="target",
            name="exception",
            field=models.CharField(
                blank=True,
                choices=[
                    ("art17_3_a", "17(3)(a): freedom of expression and information"),
                    ("art17_3_b", "17(3)(b): legal obligation or public interest"),
                    ("art17_3_c", "17(3)(c): public health"),
                    ("art17_3_d", "17(3)(d): archiving, research, statistics"),
                    ("art17_3_e", "17(3)(e): legal claims"),
                    ("art12_5_unfounded", "12(5): manifestly unfounded"),
                    ("art12_5_excessive", "12(5): manifestly excessive"),
                    ("art12_6", "12(6): identity in doubt"),
                    ("art11", "11: the person cannot be identified"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="hold",
            field=models.CharField(
                blank=True,
                choices=[
                    ("legal_claims", "Evidence for legal claims"),
                    ("legal_obligation", "A duty to retain"),
                    ("restriction_art18", "Restriction of processing (Art. 18)"),
                    ("technical", "A technical reason"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="deletionrequest",
            name="channel",
            field=models.CharField(
                choices=[
                    ("api", "REST API"),
                    ("web", "Public page"),
                    ("portal", "Staff, on behalf of the person"),
                    ("opendsr", "Another controller, through OpenDSR"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="deletionrequest",
            name="regulation",
            field=models.CharField(choices=[("gdpr", "GDPR"), ("ccpa", "CCPA")], max_length=20),
        ),
        migrations.AlterField(
            model_name="deletionrequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("identity_pending", "Waiting for proof of identity"),
                    ("under_review", "Under review"),
                    ("info_requested", "Waiting for an answer of the person"),
                    ("approved", "Approved"),
                    ("executing", "Models are being changed"),
                    ("verifying", "Models are being verified"),
                    ("attention", "Needs attention"),
                    ("signoff", "Waiting for a second signature"),
                    ("completed", "Completed"),
                    ("partly_completed", "Completed in part"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("closed_unverified", "Closed, identity not proven"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="letter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "Receipt"),
                    ("identity", "Identity"),
                    ("identity_reminder", "Identity Reminder"),
                    ("question", "Question"),
                    ("extension", "Extension"),
                    ("completed", "Completed"),
                    ("partly_completed", "Partly Completed"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("closed_unverified", "Closed Unverified"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="target",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("produced", "New version made"),
                    ("passed", "Verified"),
                    ("failed", "Failed"),
                    ("inconclusive", "Inconclusive"),
                    ("not_present", "Never saw the person"),
                    ("excepted", "Excepted by law"),
                    ("held", "On hold"),
                    ("deployed", "Released"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="deletionrequest",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["due_date", "id"], name="open_requests_by_due_date"
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "question"), _negated=True),
                fields=("request", "kind"),
                name="one_letter_per_kind_but_questions",
            ),
        ),
        migrations.AddField(
            model_name="pause",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="requests.deletionrequest"
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reminders", to="requests.deletionrequest"
            ),
        ),
        migrations.AddField(
            model_name="requestlink",
            name="linked",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="linked_from", to="requests.deletionrequest"
            ),
        ),
        migrations.AddField(
            model_name="requestlink",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="links", to="requests.deletionrequest"
            ),
        ),
        migrations.AddField(
            model_name="sealednote",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="requests.deletionrequest"
            ),
        ),
        migrations.AddConstraint(
            model_name="pause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until_at", None)), fields=("request",), name="one_open_pause_per_request"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(fields=("request", "kind", "due_date"), name="reminded_once"),
        ),
        migrations.AddConstraint(
            model_name="requestlink",
            constraint=models.UniqueConstraint(fields=("request", "linked", "reason"), name="linked_once"),
        ),
        migrations.RunPython(count_deadlines, migrations.RunPython.noop),
        migrations.AlterField("deletionrequest", "due_date", models.DateField()),
    ]
