import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("requests", "0003_lifecycle"), ("registry", "0002_declared_sources")]
    operations = [
        migrations.AddField(
            "sealednote",
            "model",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.registeredmodel"
            ),
        ),
        migrations.CreateModel(
            name="SourceSearch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("n_found", models.PositiveIntegerField()),
                ("n_unknown", models.PositiveIntegerField()),
                ("failure", models.CharField(blank=True, max_length=60)),
                ("searched_at", models.DateTimeField()),
                (
                    "data_source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.datasource"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="searches",
                        to="requests.deletionrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["data_source__name"],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "data_source"), name="one_search_per_source")
                ],
            },
        ),
        migrations.AddIndex(
            "subjectvault",
            models.Index(fields=["request"], condition=models.Q(("shredded_at", None)), name="vaults_that_still_open"),
        ),
        migrations.AddIndex("subjectvault", models.Index(fields=["master_key_id"], name="vaults_by_master_key")),
    ]
