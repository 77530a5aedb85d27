"""The folder of master keys: what is refused, what is durable, what is gone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.key_folder import KeyFolder

UNKNOWN = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "vault-keys")


def file_of(folder: KeyFolder, key_id: str) -> Path:
    return folder.path / f"{key_id}.key"


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "readable by the group": lambda path: path.chmod(0o640),
    "readable by all": lambda path: path.chmod(0o644),
    "empty": lambda path: path.write_bytes(b""),
    "no base64": lambda path: path.write_bytes(b"\xff" * 44),
    "half a key": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "another key under its name": lambda path: path.write_bytes(b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n"),
    "a named pipe": fifo,
}


@pytest.mark.parametrize("damage", [pytest.param(damage, id=name) for name, damage in DAMAGES.items()])
def test_a_file_that_is_not_a_private_key_of_that_name_is_refused(
    folder: KeyFolder, damage: Callable[[Path], object]
) -> None:
    key_id = folder.create().key_id
    damage(file_of(folder, key_id))
    with pytest.raises(KeyRingError, match=key_id):
        folder.load(key_id)
    with pytest.raises(KeyRingError):
        folder.make_current(key_id)
    with pytest.raises(KeyRingError):
        folder.destroy(key_id)


def test_a_key_that_is_not_there_is_told_with_what_it_may_mean(folder: KeyFolder) -> None:
    folder.create()
    with pytest.raises(VaultError, match="retired") as missing:
        folder.load(UNKNOWN)
    assert not isinstance(missing.value, KeyRingError)


@pytest.mark.parametrize("key_id", ["", "..", "../../etc/passwd", "0123456789ABCDEF", UNKNOWN + "0", "current"])
def test_a_name_that_is_no_id_reaches_no_file(folder: KeyFolder, key_id: str) -> None:
    folder.create()
    for act in (folder.load, folder.make_current, folder.destroy):
        with pytest.raises(KeyRingError, match="16 hex digits"):
            act(key_id)


def test_a_folder_that_is_missing_empty_or_a_file_is_refused_with_a_remedy(folder: KeyFolder, tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="vault_keys create"):
        folder.current_id()
    folder.path.mkdir(mode=0o700)
    with pytest.raises(KeyRingError, match="vault_keys create"):
        folder.current_id()
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyRingError):
        KeyFolder(tmp_path / "file").create()


def test_a_folder_in_which_others_could_choose_the_key_is_refused(folder: KeyFolder) -> None:
    folder.create()
    folder.path.chmod(0o770)
    with pytest.raises(KeyRingError, match="chmod 700"):
        folder.current_id()


@pytest.mark.parametrize("marker", ["", "\n", "key", "0" * 17, "../0123456789abcdef"])
def test_a_marker_that_names_no_key_is_refused(folder: KeyFolder, marker: str) -> None:
    folder.create()
    (folder.path / "current").write_text(marker)
    with pytest.raises(KeyRingError, match="current"):
        folder.current_id()


def test_of_two_keys_without_a_marker_none_is_guessed(folder: KeyFolder) -> None:
    folder.create(), folder.create()
    (folder.path / "current").unlink()
    with pytest.raises(KeyRingError, match="rotate --to"):
        folder.current_id()


def test_the_first_key_wraps_and_a_second_one_only_when_it_is_told(folder: KeyFolder) -> None:
    first = folder.create()
    assert folder.current_id() == first.key_id
    second = folder.create()
    assert folder.current_id() == first.key_id
    folder.make_current(second.key_id)
    assert folder.current_id() == second.key_id
    assert folder.ids() == sorted([first.key_id, second.key_id])
    assert folder.load(first.key_id) == first


def test_a_key_without_a_marker_is_the_current_one_if_it_is_the_only_one(folder: KeyFolder) -> None:
    key = folder.create()
    (folder.path / "current").unlink()
    assert folder.current_id() == key.key_id


def test_folder_and_files_are_their_owners_alone(folder: KeyFolder) -> None:
    key = folder.create()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(file_of(folder, key.key_id).stat().st_mode) == 0o600


def test_a_destroyed_key_is_overwritten_before_its_name_goes(folder: KeyFolder) -> None:
    key = folder.create()
    kept = folder.path / "second name of the same file"
    os.link(file_of(folder, key.key_id), kept)
    before = kept.read_bytes()
    folder.destroy(key.key_id)
    assert len(kept.read_bytes()) == len(before)
    assert before.strip() not in kept.read_bytes()
    assert folder.ids() == []


def test_other_files_in_the_folder_are_none_of_its_keys(folder: KeyFolder) -> None:
    key = folder.create()
    for name in ("README", ".hidden.key", "backup.key", f"{UNKNOWN}.key.old"):
        (folder.path / name).write_text("")
    assert folder.ids() == [key.key_id]
