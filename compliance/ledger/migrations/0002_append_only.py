"""The log refuses UPDATE, DELETE and TRUNCATE in the database itself."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from compliance.ledger import append_only

# The tables of this migration's time; later ones are protected by the migration that makes them.
TABLES = ("ledger_ledgerentry", "ledger_signedcheckpoint")


def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.install_statements(editor.connection.vendor, TABLES))


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.execute(editor.connection, append_only.remove_statements(editor.connection.vendor, TABLES))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
