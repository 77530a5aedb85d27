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
        migrations.AddIndex(
            "subjectvault",
            models.Index(fields=["request"], condition=models.Q(("shredded_at", None)), name="vaults_that_still_open"),
        ),
        migrations.AddIndex("subjectvault", models.Index(fields=["master_key_id"], name="vaults_by_master_key")),
    ]
