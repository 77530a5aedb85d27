from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("requests", "0004_notes_of_models")]
    operations = [
        migrations.AddIndex(
            "deletionrequest",
            models.Index(
                fields=["state", "due_date", "id"], condition=Q(closed_at=None), name="open_requests_by_state"
            ),
        ),
        migrations.AddIndex(
            "letter",
            models.Index(fields=["n_tries", "id"], condition=Q(sent_at=None), name="unsent_letters"),
        ),
    ]
