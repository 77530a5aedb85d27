from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="datasource",
            name="declaration",
            field=models.JSONField(null=True),
        ),
        migrations.RemoveConstraint(
            model_name="lineagerecord",
            name="one_lineage_row_per_record",
        ),
        migrations.AddConstraint(
            model_name="lineagerecord",
            constraint=models.UniqueConstraint(
                condition=~Q(subject_pseudonym=""),
                fields=("model", "record_id", "subject_pseudonym"),
                name="one_lineage_row_per_person",
            ),
        ),
    ]
