"""The database keeps the allow-list of leaves. What it installs is brought up to date after every later migration."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import leaf_check


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    leaf_check.install(editor.connection)


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    leaf_check.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0010_outsiders")]
    operations = [migrations.RunPython(install, remove)]
