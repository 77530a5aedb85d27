"""How it goes with those that the publisher asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_keys")]
    operations = [
        migrations.CreateModel(
            name="Outsider",
            fields=[
                ("name", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("n_failures", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("problem", models.TextField(blank=True)),
                ("is_alarm", models.BooleanField(default=False)),
            ],
            options={"ordering": ["name"]},
        ),
    ]
