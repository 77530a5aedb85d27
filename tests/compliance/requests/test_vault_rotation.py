"""Master keys change while people go on asking: nothing is lost, whoever is interrupted, and a retired key opens nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from compliance.ledger.actors import SYSTEM
from compliance.requests import identities
from compliance.requests.actions.shred import shred
from compliance.requests.identities import wrapping_context
from compliance.requests.models import DeletionRequest, Letter, SubjectVault
from compliance.requests.states import RequestState
from compliance.vault import rewrapping, turning
from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.key_folder import KeyFolder
from compliance.vault.local_key import LocalKey
from tests.compliance import cast
from tests.services import transit
from tests.services.transit import Transit

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> KeyFolder:
    """A folder with one key, which wraps."""
    settings.VAULT_MASTER_KEYS_DIR = tmp_path / "vault-keys"
    keys = KeyFolder(settings.VAULT_MASTER_KEYS_DIR)
    keys.create()
    return keys


@pytest.fixture
def service(settings: Settings) -> Iterator[Transit]:
    with transit.running() as running:
        settings.KEY_SERVICE_ADDRESS = running.address
        settings.KEY_SERVICE_TOKEN, settings.KEY_SERVICE_TOKEN_PATH = transit.TOKEN, None
        yield running


def rotated(folder: KeyFolder) -> str:
    """The id of a new key, which wraps from now on."""
    key_id = folder.create().key_id
    folder.make_current(key_id)
    return key_id


def ask(n: int) -> None:
    for number in range(n):
        cast.ask(f"person-{number}.{cast.MARK}@example.org")


def wrapped_under() -> dict[str, int]:
    found: dict[str, int] = {}
    for key_id in SubjectVault.objects.exclude(wrapped_key=b"").values_list("master_key_id", flat=True):
        found[key_id] = found.get(key_id, 0) + 1
    return found


def assert_all_open() -> None:
    for vault in SubjectVault.objects.filter(shredded_at=None):
        assert cast.MARK in identities.identifier(vault)
        assert len(identities.commitment_key(vault)) == 32


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


# --- Refused -----------------------------------------------------------------------------------------------------


def test_the_current_key_is_not_retired(folder: KeyFolder) -> None:
    with pytest.raises(CommandError, match="current key"):
        run("vault_keys", "retire", folder.current_id(), "--yes")
    assert folder.ids() == [folder.current_id()]


def test_a_key_that_a_row_is_wrapped_under_is_not_retired(folder: KeyFolder) -> None:
    old = folder.current_id()
    ask(2)
    rotated(folder)
    with pytest.raises(CommandError, match="2 rows"):
        run("vault_keys", "retire", old, "--yes")
    assert old in folder.ids()
    assert_all_open()


def test_while_a_row_does_not_say_its_key_none_is_retired(folder: KeyFolder) -> None:
    old = folder.current_id()
    ask(1)
    run("rewrap_vault")
    rotated(folder)
    SubjectVault.objects.update(master_key_id="")
    with pytest.raises(CommandError, match="rewrap_vault"):
        run("vault_keys", "retire", old, "--yes")


def test_a_key_that_is_in_no_file_here_is_left_to_its_owner(folder: KeyFolder) -> None:
    with pytest.raises(CommandError, match="secret of VAULT_MASTER_KEY"):
        run("vault_keys", "retire", LocalKey(project.VAULT_MASTER_KEY).key_id, "--yes")
    with pytest.raises(CommandError, match="not in"):
        run("vault_keys", "retire", "0123456789abcdef", "--yes")


def test_without_a_yes_no_key_is_destroyed(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder.current_id()
    rotated(folder)
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match="--yes"):
        run("vault_keys", "retire", old)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was destroyed"):
        run("vault_keys", "retire", old)
    assert old in folder.ids()


def test_one_key_in_the_environment_cannot_be_rotated_and_the_way_out_is_told() -> None:
    for verb in ("create", "rotate"):
        with pytest.raises(CommandError, match="VAULT_MASTER_KEYS_DIR"):
            run("vault_keys", verb)


def test_a_folder_is_not_rotated_while_a_key_service_wraps(folder: KeyFolder, settings: Settings) -> None:
    settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/1",)
    with pytest.raises(CommandError, match="VAULT_MASTER_KEY_URIS"):
        run("vault_keys", "rotate")


def test_a_row_that_no_key_opens_is_named_and_keeps_no_other_from_being_wrapped_anew(folder: KeyFolder) -> None:
    ask(3)
    broken = SubjectVault.objects.order_by("pk")[1]
    SubjectVault.objects.filter(pk=broken.pk).update(wrapped_key=bytes(60))
    new, out = rotated(folder), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rewrap_vault", "--batch", "1", stdout=out, stderr=out)
    assert ended.value.code == 1
    assert f"vault row {broken.pk}" in out.getvalue()
    assert wrapped_under()[new] == 2


# --- Rewrapping --------------------------------------------------------------------------------------------------


def test_from_one_key_to_a_folder_to_a_key_service_and_back_every_row_opens(
    folder: KeyFolder, service: Transit, settings: Settings
) -> None:
    settings.VAULT_MASTER_KEYS_DIR = None
    ask(3)
    SubjectVault.objects.update(master_key_id="")
    settings.VAULT_MASTER_KEYS_DIR = folder.path
    run("rewrap_vault")
    assert wrapped_under() == {folder.current_id(): 3}
    settings.VAULT_MASTER_KEY = b""
    assert_all_open()
    settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/1",)
    run("rewrap_vault", "--batch", "2")
    retired = folder.ids()[0]
    rotated(folder)
    run("vault_keys", "retire", retired, "--yes")
    assert_all_open()
    service.add_version()
    settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/2", "hv:expunge/1")
    run("rewrap_vault")
    service.min_decryption_version = 2
    assert_all_open()
    settings.VAULT_MASTER_KEY_URIS = ()
    with pytest.raises(SystemExit):
        run("rewrap_vault")
    assert len(wrapped_under()) == 1, "what no configured key opens stays as it is"


def test_what_a_row_seals_stays_as_it_is_and_only_its_wrapped_key_changes(folder: KeyFolder) -> None:
    ask(1)
    before = dict(SubjectVault.objects.values().get())
    new = rotated(folder)
    run("rewrap_vault")
    after = dict(SubjectVault.objects.values().get())
    assert {name for name in before if before[name] != after[name]} == {"wrapped_key", "master_key_id"}
    assert after["master_key_id"] == new
    assert "0 rows" in run("rewrap_vault"), "repeated, it finds nothing to do"


def test_a_shredded_row_is_no_work_and_holds_no_key_back(folder: KeyFolder) -> None:
    old = folder.current_id()
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)
    rotated(folder)
    assert "0 rows" in run("rewrap_vault")
    run("vault_keys", "retire", old, "--yes")
    assert SubjectVault.objects.get().master_key_id == old, "it stays told which key opens old copies"


def test_a_copy_from_before_the_shredding_opens_until_its_key_is_retired(folder: KeyFolder) -> None:
    """What rotation and retirement are for: the database and its backups keep old rows."""
    old = folder.current_id()
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    copy = SubjectVault.objects.get()
    shred(request.pk, actor=SYSTEM)
    assert identities.identifier(copy) == cast.ALICE
    rotated(folder)
    run("rewrap_vault")
    run("vault_keys", "retire", old, "--yes")
    with pytest.raises(VaultError, match="retired"):
        identities.identifier(copy)


def test_a_key_that_is_rotated_twice_while_rows_are_wrapped_loses_none(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = folder.current_id()
    ask(6)
    second = rotated(folder)
    wrap = rewrapping._wrapped_anew
    turned: list[str] = []

    def wrap_while_another_rotates(*arguments: Any) -> Any:
        made = wrap(*arguments)
        if not turned:
            turned.append(rotated(folder))
            ask(1)
        return made

    monkeypatch.setattr(rewrapping, "_wrapped_anew", wrap_while_another_rotates)
    steps = rewrapping.rewrap(SubjectVault.objects.all(), wrapping_context, 2)
    next(steps)
    assert second not in wrapped_under(), "nothing is stored under a key that is not the current one any more"
    fourth = rotated(folder)
    assert sum(step.n_rewrapped for step in steps) == 5, "four of the six, and the one who asked meanwhile"
    run("rewrap_vault", "--batch", "2")
    assert wrapped_under() == {fourth: 7}
    for key_id in (first, second, *turned):
        run("vault_keys", "retire", key_id, "--yes")
    assert folder.ids() == [fourth]
    assert_all_open()


def test_a_row_that_is_shredded_while_it_is_wrapped_anew_stays_blank(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    rotated(folder)
    wrap = rewrapping._wrapped_anew

    def wrap_while_it_is_shredded(*arguments: Any) -> Any:
        made = wrap(*arguments)
        shred(request.pk, actor=SYSTEM)
        return made

    monkeypatch.setattr(rewrapping, "_wrapped_anew", wrap_while_it_is_shredded)
    (step,) = rewrapping.rewrap(SubjectVault.objects.all(), wrapping_context)
    assert step.n_rewrapped == 0
    assert bytes(SubjectVault.objects.get().wrapped_key) == b""


def test_a_key_service_that_fails_on_the_way_loses_nothing_and_the_rest_is_done_later(
    service: Transit, settings: Settings
) -> None:
    ask(6)
    settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/1",)
    steps = rewrapping.rewrap(SubjectVault.objects.all(), wrapping_context, 2)
    next(steps)
    service.failure = 503
    with pytest.raises(KeyServiceError):
        next(steps)
    with pytest.raises(CommandError, match="run the command again"):
        run("rewrap_vault")
    assert sorted(wrapped_under().values()) == [2, 4]
    service.failure = None
    assert "4 rows" in run("rewrap_vault")
    assert_all_open()


def test_the_list_shows_each_key_with_its_rows_and_no_key(folder: KeyFolder) -> None:
    old = folder.current_id()
    ask(2)
    new = rotated(folder)
    shown = run("vault_keys", "list")
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert "current" in lines[new] and "0 rows" in lines[new]
    assert "opens only" in lines[old] and "2 rows" in lines[old]
    assert not any((folder.path / f"{key_id}.key").read_text().strip() in shown for key_id in folder.ids())


def test_create_and_rotate_tell_what_comes_next(folder: KeyFolder) -> None:
    assert "rotate --to" in run("vault_keys", "create")
    (other,) = set(folder.ids()) - {folder.current_id()}
    assert "rewrap_vault" in run("vault_keys", "rotate", "--to", other)
    assert folder.current_id() == other


# --- Beside other processes --------------------------------------------------------------------------------------


def in_threads(*work: Callable[[], object]) -> list[BaseException]:
    """Run all of it at once; what failed."""
    failed: list[BaseException] = []

    def guarded(each: Callable[[], object]) -> None:
        try:
            each()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=guarded, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


def test_a_key_under_which_a_row_is_about_to_be_stored_is_not_retired(ledger_db: None, folder: KeyFolder) -> None:
    """The row is not committed yet, so nobody else can count it."""
    old, is_sealed, may_commit = folder.current_id(), threading.Event(), threading.Event()

    def submit_slowly() -> None:
        with transaction.atomic():
            cast.ask()
            is_sealed.set()
            assert may_commit.wait(20)

    submitting = threading.Thread(target=lambda: in_threads(submit_slowly))
    submitting.start()
    assert is_sealed.wait(20)
    rotated(folder)
    threading.Timer(0.5, may_commit.set).start()
    try:
        with pytest.raises(KeyRingError, match="1 rows"):
            turning.retire(old)
    finally:
        submitting.join()
    assert old in folder.ids()
    assert_all_open()


def test_people_ask_while_keys_turn_and_rows_are_wrapped_anew(ledger_db: None, folder: KeyFolder) -> None:
    ask(10)

    def rotate_and_rewrap() -> None:
        for _ in range(3):
            turning.rotate()
            list(rewrapping.rewrap(SubjectVault.objects.all(), wrapping_context, 3))
            for key_id in folder.ids():
                # In use, current, or retired by the other a moment ago.
                with suppress(VaultError):
                    turning.retire(key_id)

    def read_all() -> None:
        for vault in SubjectVault.objects.order_by("-pk")[:20]:
            # The key it was read with may be retired by now; then the row is under another one.
            with suppress(VaultError):
                assert cast.MARK in identities.identifier(vault)

    assert in_threads(lambda: ask(12), rotate_and_rewrap, rotate_and_rewrap, lambda: ask(12), read_all) == []
    assert_all_open()
    run("rewrap_vault")
    assert wrapped_under() == {folder.current_id(): DeletionRequest.objects.count()}


def test_a_rewrap_that_is_killed_is_taken_up_where_it_was(
    ledger_db: None, folder: KeyFolder, process_environment: dict[str, str]
) -> None:
    ask(30)
    new = rotated(folder)
    environment = {**process_environment, "VAULT_MASTER_KEYS_DIR": str(folder.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "manage.py", "rewrap_vault", "--batch", "1"]
    with subprocess.Popen(command, cwd=project.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("3 of 30"):
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    n_done = wrapped_under()[new]
    assert 3 <= n_done < 30
    assert_all_open()
    assert f"{30 - n_done} rows" in run("rewrap_vault")
    assert wrapped_under() == {new: 30}
    assert_all_open()
