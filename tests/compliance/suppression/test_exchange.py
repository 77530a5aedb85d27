"""Tokens outlive the database: they are exported, and come back whole or not at all."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.suppression.actions.suppress import suppress
from compliance.suppression.models import SuppressionToken
from compliance.suppression.tokens import is_suppressed
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def run(command: str, path: Path) -> str:
    said = StringIO()
    call_command(command, str(path), stdout=said)
    return said.getvalue()


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A file of two tokens, after which the database forgot them."""
    path = tmp_path / "suppressions.jsonl"
    for person in (cast.ALICE, cast.CHARLIE):
        suppress("email", person)
    run("export_suppressions", path)
    SuppressionToken.objects.all().delete()
    return path


def cut_off(text: str) -> str:
    return text[: text.rindex("\n", 0, -1) + 1]


def a_token_missing(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([lines[0], *lines[2:]])


SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda text: "", "expected a file that"),
    "another file": (lambda text: '{"id": 1}\n', "expected a file that"),
    "no JSON": (lambda text: "tokens\n", "line 1 is no JSON"),
    "a list": (lambda text: "[]\n", "line 1 is no JSON object"),
    "cut off": (cut_off, "its end is missing"),
    "a token missing": (a_token_missing, "line 3 is no token"),
    "a token that is none": (lambda text: text.replace('"token": "', '"token": "x', 1), "line 2 is no token"),
    "a day that is none": (lambda text: text.replace("created_on", "created"), "line 2 is no token"),
    "a number for a token": (lambda text: text.replace('{"token": "', '{"token": 1, "x": "'), "line 2 is no token"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_refused_as_a_whole(exported: Path, spoil: Callable[[str], str], says: str) -> None:
    exported.write_text(spoil(exported.read_text()))
    with pytest.raises(CommandError, match=says):
        run("import_suppressions", exported)
    assert not SuppressionToken.objects.exists()


@pytest.mark.parametrize("name", ["SUPPRESSION_KEY", "PSEUDONYM_KEY"])
def test_tokens_under_another_key_are_refused(exported: Path, settings: Settings, name: str) -> None:
    setattr(settings, name, bytes(32))
    with pytest.raises(CommandError, match="made under other keys"):
        run("import_suppressions", exported)


def test_a_file_that_is_not_there_or_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_suppressions", tmp_path / "missing")
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_suppressions", tmp_path / "missing" / "file")


def test_what_was_exported_comes_back_once(exported: Path) -> None:
    assert run("import_suppressions", exported) == "2 tokens, 2 of them new\n"
    assert is_suppressed("email", cast.ALICE)
    assert is_suppressed("email", cast.CHARLIE)
    assert run("import_suppressions", exported) == "2 tokens, 0 of them new\n"


def test_the_file_is_its_owners_and_names_nobody(exported: Path) -> None:
    assert exported.stat().st_mode & 0o777 == 0o600
    assert cast.MARK not in exported.read_text()


def test_days_are_kept_an_end_moves_only_later_and_expired_tokens_stay_behind(tmp_path: Path) -> None:
    today = datetime.now(tz=UTC).date()
    rows = {"a" * 64: None, "b" * 64: today + timedelta(days=9), "c" * 64: today - timedelta(days=1)}
    for token, end in rows.items():
        SuppressionToken.objects.create(token=token, created_on=date(2020, 2, 29), expires_on=end)
    path = tmp_path / "file"
    assert run("export_suppressions", path) == f"{path}: 2 tokens\n"
    SuppressionToken.objects.filter(token="c" * 64).delete()
    SuppressionToken.objects.update(expires_on=today + timedelta(days=5))
    run("import_suppressions", path)
    assert set(SuppressionToken.objects.values_list("token", "created_on", "expires_on")) == {
        ("a" * 64, date(2020, 2, 29), None),
        ("b" * 64, date(2020, 2, 29), today + timedelta(days=9)),
    }
