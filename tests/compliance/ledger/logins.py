"""Accounts that really log in to PostgreSQL, as the processes of production do."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PASSWORD = "a-password-of-the-tests"


def create(login: str, *groups: str, attributes: str = "") -> None:
    """An account in these group roles."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' {attributes}")
        for group in groups:
            cursor.execute(f"GRANT {group} TO {login}")


def drop(login: str) -> None:
    """The account is gone, and what it owns in this database with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login])
        if cursor.fetchone():
            cursor.execute(f"DROP OWNED BY {login}; DROP ROLE {login}")


@contextmanager
def logged_in(login: str) -> Iterator[None]:
    """Inside the block everything runs over a new connection of this account. Use it with `ledger_db`."""
    account = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update({"USER": login, "PASSWORD": PASSWORD})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(account)
