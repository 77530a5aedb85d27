from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SuppressionToken",
            fields=[
                ("token", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("created_on", models.DateField()),
                ("expires_on", models.DateField(null=True)),
            ],
        ),
    ]
