"""The groups that give an account its roles."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ROLES = ("operator", "dpo", "auditor")


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    groups = apps.get_model("auth", "Group").objects
    for name in ROLES:
        groups.get_or_create(name=name)


def leave(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Groups may have members by now: migrating back does not take roles away."""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(create, leave)]
