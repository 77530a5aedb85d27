"""One key file takes the place of another without either being lost, whenever the power fails."""

import errno
import os
from pathlib import Path

import pytest

from compliance.evidence import key_files
from compliance.evidence.key_files import KeyFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log key."""
    key_files.generate_log_key(tmp_path / "ledger.pem")
    return tmp_path / "ledger.pem"


def cut_off(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["write", "fsync", "link"])
def test_a_key_that_was_cut_off_while_it_was_written_is_not_there(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.pem"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(*{"write": (os, "fdopen")}.get(step, (os, step)), cut_off)
        key_files.generate_log_key(path)
    assert not list(tmp_path.iterdir()), "neither the key nor a part of it"
    key_files.generate_log_key(path)
    assert key_files.load_log_key(path)


def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(KeyFileError, match="No space left"):
        patched.setattr(os, "fsync", fail)
        key_files.generate_evidence_key(tmp_path / "evidence.pem")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["key", "folder", "link to nothing"])
def test_what_is_there_already_is_not_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    if kind == "key":
        path.write_bytes(b"a key")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(KeyFileError, match="never replaced"):
        key_files.generate_log_key(path)
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.pem"]
    assert kind != "key" or path.read_bytes() == b"a key"


def test_a_new_key_is_for_its_owner_alone_and_has_one_name(path: Path) -> None:
    status = path.stat()
    assert (status.st_mode & 0o777, status.st_nlink) == (0o600, 1)
    assert list(path.parent.iterdir()) == [path]


def test_a_copy_never_replaces_another_key(path: Path) -> None:
    copy = path.with_name("copy.pem")
    copy.write_bytes(b"another key")
    with pytest.raises(KeyFileError, match="never replaced"):
        key_files.keep_as(path, copy)
    assert copy.read_bytes() == b"another key"


def test_a_copy_that_cannot_be_made_is_an_error(path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be kept"):
        key_files.keep_as(path, path.parent / "none" / "copy.pem")


def test_a_new_key_that_is_not_there_takes_nobodys_place(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="cannot take the place"):
        key_files.take_place(path.with_name("none.pem"), path)
    assert path.read_bytes() == before


def test_the_old_key_stays_under_its_other_name_when_a_new_one_takes_its_place(path: Path) -> None:
    old, copy, new = path.read_bytes(), path.with_name("copy.pem"), path.with_name("new.pem")
    key_files.generate_log_key(new)
    expected = new.read_bytes()
    key_files.keep_as(path, copy)
    key_files.keep_as(path, copy)
    key_files.take_place(new, path)
    assert (path.read_bytes(), copy.read_bytes(), new.exists()) == (expected, old, False)
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}


def test_a_link_to_a_mounted_secret_is_kept_as_a_link(path: Path) -> None:
    """What is mounted cannot be renamed, but the link to it can give way."""
    link, copy, new = path.with_name("link.pem"), path.with_name("copy.pem"), path.with_name("new.pem")
    link.symlink_to(path)
    key_files.generate_log_key(new)
    key_files.keep_as(link, copy)
    key_files.take_place(new, link)
    assert copy.resolve() == path
    assert not link.is_symlink()
