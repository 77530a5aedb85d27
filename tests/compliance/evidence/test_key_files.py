"""One key file takes the place of another without either being lost, whenever the power fails."""

from pathlib import Path

import pytest

from compliance.evidence import key_files
from compliance.evidence.key_files import KeyFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log key."""
    key_files.generate_log_key(tmp_path / "ledger.pem")
    return tmp_path / "ledger.pem"


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
