"""Databases of made-up requests that stay on somebody else's server, so that the next run has no rows to make.

There is one for each size, named by it and by a digest of what makes the rows; nobody deletes them.
"""

from hashlib import sha256
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from compliance.requests.models import DeletionRequest
from tests.benchmarks.api_parts import seeding


def fill(size: int, n_days: int) -> None:
    """Connect to the database of this size. What is not there is made: from the one connected to, and grown."""
    assert seeding.__file__ is not None
    name = f"requests_{size}_{sha256(Path(seeding.__file__).read_bytes()).hexdigest()[:8]}"
    origin = connection.settings_dict["NAME"]
    # Of a database that is copied, nobody may be a guest.
    _go_to("template1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            quoted = connection.ops.quote_name
            cursor.execute(f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(origin)} STRATEGY file_copy")
    _go_to(name)
    call_command("migrate", verbosity=0)
    if DeletionRequest.objects.count() < size:
        seeding.grow(size, n_days)


def _go_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
