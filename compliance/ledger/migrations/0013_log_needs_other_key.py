"""A log that a rotation has ended says so: the next one must begin under another key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_roles")]
    operations = [migrations.AddField("Log", "needs_other_key", models.BooleanField(default=False))]
