"""The ledger gets an owner of its own, and each process no more rights than it needs. PostgreSQL only."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import roles


def apply(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    roles.apply(editor.connection)


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    roles.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_leaf_check")]
    operations = [migrations.RunPython(apply, remove)]
