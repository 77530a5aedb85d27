"""Master keys that are damaged, or whose turning was cut off: it is said what is wrong, and nothing is half-written."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.intake.models import SubmissionKey
from compliance.ledger.models import PendingEntry
from compliance.requests import identities
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter, SubjectVault
from compliance.vault import turning
from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.key_folder import KeyFolder
from tests.compliance import cast
from tests.compliance.api.caller import Caller

pytestmark = pytest.mark.django_db
OTHER_KEY = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n"


class CutOffError(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> KeyFolder:
    """A folder with one key, which wraps; nothing else does."""
    settings.VAULT_MASTER_KEYS_DIR, settings.VAULT_MASTER_KEY = tmp_path / "vault-keys", b""
    keys = KeyFolder(settings.VAULT_MASTER_KEYS_DIR)
    keys.create()
    return keys


def run(*arguments: str) -> str:
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def file_of(folder: KeyFolder, key_id: str) -> Path:
    return folder.path / f"{key_id}.key"


def cut_off(*_: Any, **__: Any) -> None:
    raise CutOffError


#: What is done to the file of the key that wraps → what is said.
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "half of it": (lambda key: key.write_bytes(key.read_bytes()[:20]), "base64 of exactly 32 bytes|must have 32 bytes"),
    "none of it": (lambda key: key.write_bytes(b""), "must have 32 bytes"),
    "other bytes": (lambda key: key.write_bytes(b"\0" * 45), "not base64"),
    "another key": (lambda key: key.write_bytes(OTHER_KEY), "renamed or damaged"),
    "read by the group": (lambda key: key.chmod(0o640), "chmod 600"),
    "a folder that the group writes": (lambda key: key.parent.chmod(0o770), "chmod 700"),
    "a folder in which all may write": (lambda key: key.parent.chmod(0o707), "chmod 700"),
    "not there": (lambda key: key.unlink(), "is not in .*retired"),
    "a marker that names none": (lambda key: (key.parent / "current").write_text("mine"), "16 hex digits"),
    "a marker for a key that is not there": (lambda key: (key.parent / "current").write_text("ab" * 8), "is not in"),
}


@pytest.mark.parametrize(("damage", "says"), [pytest.param(*case, id=name) for name, case in DAMAGES.items()])
def test_with_an_unusable_key_nobody_is_taken_in_and_nothing_is_written(
    folder: KeyFolder, damage: Callable[[Path], object], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(file_of(folder, folder.current_id()))
    with pytest.raises(VaultError, match=says) as refused:
        cast.ask()
    assert cast.MARK not in str(refused.value)
    body = {"identifier": {"kind": "email", "value": cast.ALICE}}
    answer = Caller().post("submit", body=body, key="0123456789abcdef")
    assert answer.status_code == 500
    assert str(folder.path) not in answer.content.decode()
    # The operator reads why in the log; of a key that is not there, only that something was opened in vain.
    if isinstance(refused.value, KeyRingError):
        assert re.search(says, caplog.text)
    assert cast.MARK not in answer.content.decode() + caplog.text
    for table in (DeletionRequest, SubjectVault, IdentityChallenge, Letter, PendingEntry, SubmissionKey):
        assert not table.objects.exists(), table


@pytest.mark.parametrize(("damage", "says"), [pytest.param(*case, id=name) for name, case in DAMAGES.items()])
def test_rows_stay_as_they_are_when_they_cannot_be_wrapped_under_the_new_key(
    folder: KeyFolder, damage: Callable[[Path], object], says: str
) -> None:
    cast.ask(), cast.ask(cast.CHARLIE)
    old = folder.current_id()
    before = list(SubjectVault.objects.order_by("pk").values())
    new = turning.rotate()
    damage(file_of(folder, new))
    with pytest.raises(CommandError, match=says):
        run("rewrap_vault")
    assert list(SubjectVault.objects.order_by("pk").values()) == before
    with pytest.raises((CommandError, VaultError)):
        run("vault_keys", "retire", old, "--yes")
    assert all(cast.MARK in identities.identifier(vault) for vault in SubjectVault.objects.all())


def test_a_rotation_that_is_cut_off_before_the_new_key_wraps_changes_nothing(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = folder.current_id()
    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "make_current", cut_off)
        with pytest.raises(CutOffError):
            turning.rotate()
    assert folder.current_id() == old
    cast.ask()
    (unused,) = set(folder.ids()) - {old}
    run("vault_keys", "rotate", "--to", unused)
    assert "1 rows" in run("rewrap_vault")
    run("vault_keys", "retire", old, "--yes")
    assert folder.ids() == [unused]
    assert identities.identifier(SubjectVault.objects.get()) == cast.ALICE


def test_a_file_that_was_not_written_to_its_end_is_no_key(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder.current_id()
    for moment in ("fsync", "fdopen"):
        with monkeypatch.context() as patched:
            patched.setattr(f"os.{moment}", cut_off)
            with pytest.raises(CutOffError):
                turning.rotate()
    assert (folder.ids(), folder.current_id()) == ([old], old)
    assert {path.name for path in folder.path.iterdir()} == {f"{old}.key", "current"}


def test_a_retirement_that_is_cut_off_leaves_no_key_and_is_finished_by_the_next(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = folder.current_id()
    cast.ask()
    copy = SubjectVault.objects.get()
    turning.rotate()
    run("rewrap_vault")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", cut_off)
        with pytest.raises(CutOffError):
            turning.retire(old)
    assert old in folder.ids(), "what is left is shown"
    assert old in run("vault_keys", "list")
    with pytest.raises(VaultError, match=f"retire {old}") as refused:
        identities.identifier(copy)
    assert not isinstance(refused.value, KeyRingError)
    with pytest.raises(CommandError, match="is destroyed"):
        run("vault_keys", "rotate", "--to", old)
    run("vault_keys", "retire", old, "--yes")
    assert old not in folder.ids()
    with pytest.raises(CommandError, match="retired"):
        run("vault_keys", "retire", old, "--yes")
    assert identities.identifier(SubjectVault.objects.get()) == cast.ALICE
