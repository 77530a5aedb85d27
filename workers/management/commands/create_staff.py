"""`manage.py create_staff USERNAME --role dpo`: an account for a member of staff."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from compliance.ledger.actors import STAFF_ROLES
from compliance.ledger.readiness import refuse_missing_tables


class Command(BaseCommand):
    help = (
        "Create an account with one or more roles. The password is asked for, or read from a file; never an argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", action="append", required=True, choices=[role.value for role in STAFF_ROLES])
        parser.add_argument("--password-file", type=Path, help="file that holds the password and nothing else")

    def handle(self, *args: Any, username: str, role: list[str], password_file: Path | None, **options: Any) -> None:
        refuse_missing_tables()
        user = User(username=username)
        try:
            user.full_clean(exclude=["password"])
            password = _asked() if password_file is None else _read(password_file)
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        with transaction.atomic():
            user.save()
            user.groups.set([Group.objects.get(name=name) for name in set(role)])
        self.stdout.write(f"created {username} ({', '.join(sorted(set(role)))})")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The password file {path} cannot be read as text ({type(error).__name__}).") from error


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password. Use --password-file.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != password:
        raise CommandError("The two passwords differ. Nothing was created.")
    return password
