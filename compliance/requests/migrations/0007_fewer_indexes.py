from django.db import migrations, models
from django.db.models.deletion import PROTECT


class Migration(migrations.Migration):
    """Each new request was entered in four indexes that nothing asks: three of them only for a LIKE."""

    dependencies = [("requests", "0006_sweeps_and_lists")]
    operations = [
        migrations.AlterField(
            "deletionrequest",
            "policy",
            models.ForeignKey("requests.policy", db_index=False, null=True, on_delete=PROTECT),
        ),
        # Of 256 random bits, and looked up by the request's id: it need not be unique by an index.
        migrations.AlterField("deletionrequest", "token_sha256", models.CharField(max_length=64)),
        migrations.AlterField("subjectvault", "pseudonym", models.CharField(max_length=64)),
        migrations.AddIndex("subjectvault", models.Index(fields=["pseudonym"], name="vaults_by_pseudonym")),
    ]
