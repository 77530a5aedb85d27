"""One key may sign several logs, under a vkey for each: a row is a published text and no longer a key."""

from hashlib import sha256

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("ledger", "PublicKey").objects
    for key_sha256, text in list(rows.values_list("text_sha256", "text")):
        text_sha256 = sha256(text.encode()).hexdigest()
        rows.filter(text_sha256=key_sha256).update(key_sha256=key_sha256, text_sha256=text_sha256)


def restore(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Of a key with several texts the newest stays: there was room for one."""
    rows = apps.get_model("ledger", "PublicKey").objects
    seen = set()
    for text_sha256, key_sha256 in list(rows.order_by("-published_at").values_list("text_sha256", "key_sha256")):
        if key_sha256 in seen:
            rows.filter(text_sha256=text_sha256).delete()
        else:
            rows.filter(text_sha256=text_sha256).update(text_sha256=key_sha256)
        seen.add(key_sha256)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_protect_logs")]
    operations = [
        migrations.RenameField("PublicKey", "key_sha256", "text_sha256"),
        migrations.AddField(
            "PublicKey", "key_sha256", models.CharField(max_length=64, default=""), preserve_default=True
        ),
        migrations.RunPython(fill, restore),
        migrations.AlterField("PublicKey", "key_sha256", models.CharField(max_length=64)),
    ]
