"""`manage.py create_staff`: accounts with a role, and a password that no process list shows."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from compliance.ledger.actors import Role, roles_of

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery"


def run(folder: Path, *roles: str, password: str | None = GOOD, username: str = "dana") -> str:
    output = StringIO()
    arguments = [username, *(f"--role={role}" for role in roles)]
    if password is not None:
        (folder / "password").write_text(password)
        arguments.append(f"--password-file={folder / 'password'}")
    call_command("create_staff", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("password", "says"),
    [
        pytest.param("short", "at least 12 characters", id="too short"),
        pytest.param("", "at least 12 characters", id="empty"),
        pytest.param("qwerty123456", "too common", id="known to everybody"),
        pytest.param(None, "no terminal", id="nobody to ask"),
    ],
)
def test_it_refuses_a_password_that_protects_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str | None, says: str
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match=says):
        run(tmp_path, "dpo", password=password)
    assert not User.objects.exists()


def test_it_refuses_a_role_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'subject'"):
        run(tmp_path, "subject")


def test_it_refuses_an_account_without_a_role(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--role"):
        run(tmp_path)


def test_it_refuses_a_name_that_is_taken(tmp_path: Path) -> None:
    run(tmp_path, "dpo")
    with pytest.raises(CommandError, match="already exists"):
        run(tmp_path, "operator")
    assert roles_of(User.objects.get()) == {Role.DPO}


def test_it_refuses_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("create_staff", "dana", "--role=dpo", f"--password-file={tmp_path / 'none'}")
    assert not User.objects.exists()


def test_the_account_has_its_roles_and_its_password(tmp_path: Path) -> None:
    assert "created dana (dpo, operator)" in run(tmp_path, "operator", "dpo", password=GOOD + "\n")
    user = User.objects.get(username="dana")
    assert user.check_password(GOOD)
    assert roles_of(user) == {Role.DPO, Role.OPERATOR}
    assert not user.is_superuser
