"""The store of weights: what it refuses, what a crash leaves, what removal touches."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.registry.manifests import manifest_sha256, parse_manifest
from ml_core.errors import ArtifactError
from tests.workers.killing import KilledError, killed
from workers import artifacts

FAMILY = "analytic_classifier"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of two files, as a family might write it."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"tensors")
    (folder / "config.json").write_bytes(b"{}")
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside the store that must neither be read nor removed."""
    path = tmp_path / "secret"
    path.write_bytes(b"not ours")
    return path


def link_instead_of_file(folder: Path, secret: Path) -> None:
    (folder / "extra.json").symlink_to(secret)


def subfolder(folder: Path, secret: Path) -> None:
    (folder / "sub").mkdir()


def pipe(folder: Path, secret: Path) -> None:
    os.mkfifo(folder / "pipe")


def odd_name(folder: Path, secret: Path) -> None:
    (folder / "-rf *").write_bytes(b"")


def hidden_file(folder: Path, secret: Path) -> None:
    (folder / ".hidden").write_bytes(b"")


def nothing(folder: Path, secret: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("spoil", [link_instead_of_file, subfolder, pipe, odd_name, hidden_file, nothing])
def test_it_refuses_to_store_anything_but_plain_files(
    weights: Path, secret: Path, artifacts_dir: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(weights, secret)
    with pytest.raises(ArtifactError):
        artifacts.store(weights, FAMILY)
    assert list(artifacts_dir.iterdir()) == []


def flip_one_bit(place: Path, secret: Path) -> None:
    path = place / "files" / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def cut_short(place: Path, secret: Path) -> None:
    (place / "files" / "weights.safetensors").write_bytes(b"tensor")


def lose_a_file(place: Path, secret: Path) -> None:
    (place / "files" / "config.json").unlink()


def add_a_file(place: Path, secret: Path) -> None:
    (place / "files" / "model.pkl").write_bytes(b"code")


def change_the_manifest(place: Path, secret: Path) -> None:
    (place / "manifest.json").write_bytes((place / "manifest.json").read_bytes() + b" ")


def replace_a_file_by_a_link(place: Path, secret: Path) -> None:
    path = place / "files" / "config.json"
    secret.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(secret)


def replace_the_files_by_a_link(place: Path, secret: Path) -> None:
    elsewhere = secret.parent / "elsewhere"
    (place / "files").rename(elsewhere)
    (place / "files").symlink_to(elsewhere)


def replace_all_by_a_link(place: Path, secret: Path) -> None:
    elsewhere = secret.parent / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)


@pytest.mark.parametrize(
    "spoil",
    [
        flip_one_bit,
        cut_short,
        lose_a_file,
        add_a_file,
        change_the_manifest,
        replace_a_file_by_a_link,
        replace_the_files_by_a_link,
        replace_all_by_a_link,
    ],
)
def test_it_refuses_to_open_what_is_not_exactly_what_was_stored(
    weights: Path, secret: Path, artifacts_dir: Path, spoil: Callable[[Path, Path], None]
) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    spoil(artifacts_dir / digest, secret)
    with pytest.raises(ArtifactError):
        artifacts.open(digest)


@pytest.mark.parametrize("name", ["", "..", "../outside", "AB" * 32, "ab" * 31])
def test_it_refuses_names_that_are_no_digest(name: str) -> None:
    for use in (artifacts.open, artifacts.destroy):
        with pytest.raises(ArtifactError):
            use(name)


def test_it_refuses_to_open_what_is_not_there() -> None:
    with pytest.raises(ArtifactError, match="not in the store"):
        artifacts.open("ab" * 32)


def test_what_was_stored_is_opened_under_the_digest_of_its_manifest(weights: Path) -> None:
    manifest, digest = artifacts.store(weights, FAMILY)
    assert digest == hashlib.sha256(manifest).hexdigest() == manifest_sha256(manifest)
    family, files = parse_manifest(manifest)
    assert family == FAMILY
    assert {file.name: file.sha256 for file in files} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in weights.iterdir()
    }
    opened = artifacts.open(digest)
    assert {path.name: path.read_bytes() for path in opened.iterdir()} == {
        path.name: path.read_bytes() for path in weights.iterdir()
    }


def test_storing_the_same_bytes_again_changes_nothing(weights: Path, artifacts_dir: Path) -> None:
    first = artifacts.store(weights, FAMILY)
    inode = (artifacts_dir / first[1]).stat().st_ino
    assert artifacts.store(weights, FAMILY) == first
    assert [path.name for path in artifacts_dir.iterdir()] == [first[1]]
    assert (artifacts_dir / first[1]).stat().st_ino == inode


def test_storing_the_same_bytes_again_does_not_hide_that_the_stored_ones_are_damaged(
    weights: Path, secret: Path, artifacts_dir: Path
) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    flip_one_bit(artifacts_dir / digest, secret)
    with pytest.raises(ArtifactError, match="restore it from a backup"):
        artifacts.store(weights, FAMILY)


def test_the_family_is_part_of_the_name(weights: Path) -> None:
    assert artifacts.store(weights, FAMILY)[1] != artifacts.store(weights, "recommender")[1]


def test_the_store_is_closed_to_others(weights: Path, artifacts_dir: Path) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    folders = (artifacts_dir, artifacts_dir / digest, artifacts_dir / digest / "files")
    assert {folder.stat().st_mode & 0o077 for folder in folders} == {0}


@pytest.mark.parametrize("step", ["rename", "write_bytes"])
def test_a_crash_before_the_rename_leaves_no_version(
    weights: Path, artifacts_dir: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, killed)
        # A killed process runs no clean-up either.
        patch.setattr(artifacts, "_remove", lambda path: None)
        with pytest.raises(KilledError):
            artifacts.store(weights, FAMILY)
    assert artifacts.stored() == {}
    (left,) = artifacts_dir.iterdir()
    os.utime(left, (0, 0))
    artifacts.tidy()
    assert list(artifacts_dir.iterdir()) == []


def test_tidying_leaves_the_staging_folder_of_a_worker_at_work(artifacts_dir: Path) -> None:
    with artifacts.staging() as files:
        artifacts.tidy()
        assert files.is_dir()
    assert list(artifacts_dir.iterdir()) == []


def test_destroying_removes_the_version_and_nothing_else(weights: Path, artifacts_dir: Path) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    _, other = artifacts.store(weights, "recommender")
    assert artifacts.destroy(digest)
    assert [path.name for path in artifacts_dir.iterdir()] == [other]
    assert not artifacts.destroy(digest)


@pytest.mark.parametrize("plant", [replace_a_file_by_a_link, replace_the_files_by_a_link, replace_all_by_a_link])
def test_destroying_does_not_follow_links_out_of_the_store(
    weights: Path, secret: Path, artifacts_dir: Path, plant: Callable[[Path, Path], None]
) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    plant(artifacts_dir / digest, secret)
    outside = {path: path.read_bytes() for path in secret.parent.rglob("*") if is_outside(path, artifacts_dir)}
    assert artifacts.destroy(digest)
    assert {path: path.read_bytes() for path in outside} == outside
    assert list(artifacts_dir.iterdir()) == []


def is_outside(path: Path, store: Path) -> bool:
    return path.is_file() and not path.is_relative_to(store)


def test_a_crash_while_destroying_is_finished_by_tidying(
    weights: Path, artifacts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, digest = artifacts.store(weights, FAMILY)
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "_remove", lambda path: None)
        artifacts.destroy(digest)
    with pytest.raises(ArtifactError):
        artifacts.open(digest)
    assert len(list(artifacts_dir.iterdir())) == 1
    artifacts.tidy()
    assert list(artifacts_dir.iterdir()) == []
