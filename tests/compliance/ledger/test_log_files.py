"""The published log: what a reader finds verifies, what is there is never written again, and a fork on disk stops it."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.evidence import checkpoint, consistency, merkle, tiles
from compliance.evidence.tile_files import LogFolder
from compliance.evidence.whole_log import read_whole
from compliance.ledger import log_files, notes
from compliance.ledger.log_files import LogFilesError
from compliance.ledger.log_store import DirectoryStore, LogStore, ObjectStore, StoreError, store_at
from compliance.ledger.models import HashTile, LedgerEntry, Log, SignedCheckpoint
from tests.compliance.evidence import rfc6962
from tests.compliance.ledger.growing import as_owner, grow_to

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ended here."""


def _kill(_: int) -> None:
    raise Killed


class Mortal:
    """A store whose process is killed at its n-th change: before it, or half-way through writing the file."""

    def __init__(self, store: DirectoryStore, n_changes: int) -> None:
        self._store, self._n_left = store, n_changes
        self.open, self.read = store.open, store.read

    def write(self, name: str, content: bytes) -> None:
        if self._n_left == 0:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("os.fsync", _kill)
                self._store.write(name, content[: len(content) // 2])
        self._count()
        self._store.write(name, content)

    def remove(self, name: str) -> None:
        self._count()
        self._store.remove(name)

    def _count(self) -> None:
        if self._n_left == 0:
            raise Killed
        self._n_left -= 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def store(folder: Path) -> DirectoryStore:
    return DirectoryStore(folder)


def publish(store: LogStore, head: SignedCheckpoint, token: bytes | None = None, *, is_whole: bool = False) -> int:
    n_written = log_files.export(store, head, is_whole=is_whole)
    log_files.announce(store, head, notes.cosigned(head), token)
    return n_written


def log_in(folder: Path) -> Path:
    (path,) = (path for path in folder.iterdir() if path.is_dir())
    return path


def assert_verifies(path: Path, n_entries: int) -> None:
    """What a stranger can check: the entries have the root that the published checkpoint names, by definition."""
    note = LogFolder(path).checkpoint()
    head = checkpoint.open_note(note, [notes.vkey_of(note)])
    leaves = list(LogFolder(path).entries(head.size))
    assert head.size == len(leaves) == n_entries
    assert head.root == rfc6962.root_of([merkle.leaf_hash(leaf) for leaf in leaves])
    assert head.root == tiles.root(head.size, LogFolder(path).reader(head.size))


def files_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/4"])
def test_a_whole_comparison_refuses_a_file_that_differs(store: DirectoryStore, folder: Path, name: str) -> None:
    head = grow_to(260)
    publish(store, head)
    change(log_in(folder) / name)
    with pytest.raises(LogFilesError, match=f"{name} does not hold what the database gives"):
        log_files.export(store, head, is_whole=True)


@pytest.mark.parametrize("name", ["tile/0/001", "tile/entries/001", "tile/entries/002.p/18", "tile/1/000.p/2"])
def test_it_refuses_to_publish_over_a_file_that_differs(store: DirectoryStore, folder: Path, name: str) -> None:
    publish(store, grow_to(260))
    store.write(f"{log_in(folder).name}/{name}", b"of another history")
    head = grow_to(530)
    with pytest.raises(LogFilesError, match=f"{name} does not hold what the database gives"):
        publish(store, head)
    assert (log_in(folder) / name).read_bytes() == b"of another history"
    assert_verifies(log_in(folder), 260)


def test_it_refuses_to_publish_beside_the_checkpoint_of_another_history(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(10)
    publish(store, head)
    path = log_in(folder) / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n10\n", b"\n9\n"))
    with pytest.raises(LogFilesError, match=r"first 9 entries .* the published checkpoint"):
        publish(store, grow_to(11))


def test_it_refuses_to_publish_less_than_is_published(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(10)
    publish(store, head)
    path = log_in(folder) / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n10\n", b"\n11\n"))
    with pytest.raises(LogFilesError, match="over 11 entries; 10 are there"):
        publish(store, head)


def test_it_refuses_a_place_where_another_log_is_published(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(10)
    publish(store, head)
    path = log_in(folder) / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"expunge.local/ledger/", b"example.org/ledger/"))
    with pytest.raises(LogFilesError, match=r"checkpoint of example\.org"):
        publish(store, head)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(LogFilesError, match="is no checkpoint"):
        publish(store, head)


def test_it_publishes_no_entry_that_was_changed_in_the_database(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(300)
    other = LedgerEntry.objects.get(position=269)
    with as_owner():
        LedgerEntry.objects.filter(position=270).update(leaf=bytes(other.leaf), leaf_sha256=other.leaf_sha256)
    with pytest.raises(LogFilesError, match=r"entries 256 to 299 .* do not have the hashes"):
        publish(store, head)
    assert not (log_in(folder) / "checkpoint").exists()


def test_it_publishes_no_log_from_which_an_entry_was_removed(store: DirectoryStore) -> None:
    head = grow_to(300)
    with as_owner():
        LedgerEntry.objects.filter(position=7).delete()
    with pytest.raises(LogFilesError, match=r"entries 0 to 255 .* changed or removed"):
        publish(store, head)


@pytest.mark.parametrize(
    ("size", "level", "index", "message"),
    [
        pytest.param(300, 0, 1, "the root of the signed checkpoint", id="a partial tile"),
        pytest.param(300, 1, 0, "the root of the signed checkpoint", id="a tile of the second level"),
        pytest.param(300, 0, 0, "Tile 0/0 .* was changed", id="a full tile that the root does not read"),
    ],
)
def test_it_publishes_no_tile_that_was_changed(
    store: DirectoryStore, size: int, level: int, index: int, message: str
) -> None:
    head = grow_to(size)
    tile = HashTile.objects.get(level=level, index=index)
    tile.hashes = bytes(32) + bytes(tile.hashes)[32:]
    tile.save()
    with pytest.raises(LogFilesError, match=message):
        publish(store, head)


@pytest.mark.parametrize(("level", "index"), [(0, 0), (0, 1), (0, 2), (1, 0)])
def test_it_publishes_no_log_whose_tile_is_gone(store: DirectoryStore, level: int, index: int) -> None:
    head = grow_to(600)
    HashTile.objects.filter(level=level, index=index).delete()
    with pytest.raises(LogFilesError, match=rf"(?i)tile {level}/{index} .*"):
        publish(store, head)


def test_a_folder_that_cannot_be_written_is_told(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        publish(DirectoryStore(folder), grow_to(3))


def test_a_kind_of_storage_that_is_not_installed_is_told_before_anything_is_done() -> None:
    with pytest.raises(ImproperlyConfigured, match="object-store"):
        store_at("nosuch://bucket/prefix")


def stores(folder: Path) -> Iterator[tuple[str, LogStore]]:
    yield "a folder", store_at(str(folder / "plain"))
    yield "the URL of a folder", store_at(f"file://{folder / 'url'}")
    yield "objects in memory", store_at(f"memory://{folder.name}/prefix")
    yield "objects in files", ObjectStore(f"local://{folder / 'objects'}")


def test_every_storage_ends_with_the_same_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fsspec.config.conf, "local", {"auto_mkdir": True})
    sizes, heads = (3, 257, 600), []
    kinds = dict(stores(folder))
    for size in sizes:
        heads.append(grow_to(size))
        for store in kinds.values():
            publish(store, heads[-1], token=b"token" if size == 257 else None)
    name = log_files.folder_of(heads[-1].log.origin)
    for kind, store in kinds.items():
        assert store.read(f"{name}/checkpoint") == bytes(heads[-1].note), kind
        with store.open(f"{name}/tile/0/000") as file:
            assert len(file.read()) == 8192, kind
        for gone in ("checkpoint.tsr", "tile/0/000.p/3", "tile/entries/000.p/3", "tile/0/001.p/1"):
            with pytest.raises(FileNotFoundError):
                store.read(f"{name}/{gone}")
            with pytest.raises(FileNotFoundError):
                store.open(f"{name}/{gone}")
        store.remove(f"{name}/nothing")
    assert files_in(folder / "plain") == files_in(folder / "url") == files_in(folder / "objects")


@pytest.mark.parametrize("size", [3, 255, 256, 257, 512, 600])
def test_a_stranger_can_verify_what_is_published(store: DirectoryStore, folder: Path, size: int) -> None:
    publish(store, grow_to(size))
    assert_verifies(log_in(folder), size)


def test_every_growth_writes_what_is_new_and_leaves_what_one_export_would(
    store: DirectoryStore, folder: Path, tmp_path: Path
) -> None:
    earlier: list[checkpoint.Checkpoint] = []
    for size in (3, 200, 256, 300, 513, 600):
        head = grow_to(size)
        n_written = publish(store, head)
        assert 0 < n_written <= 10
        assert publish(store, head) == 0, "nothing is written twice"
        assert_verifies(log_in(folder), size)
        earlier.append(checkpoint.parse_body(checkpoint.split_note(bytes(head.note))[0]))
    for old in earlier:
        path = consistency.path_between(old.size, 600, LogFolder(log_in(folder)).reader(600))
        consistency.verify(old, earlier[-1], path)
    at_once = tmp_path / "at-once"
    publish(DirectoryStore(at_once), head)
    assert files_in(at_once).items() <= files_in(folder).items()


def test_partial_files_go_when_the_full_one_is_there_and_not_before(store: DirectoryStore, folder: Path) -> None:
    for size in (10, 20):
        publish(store, grow_to(size))
    assert {"000.p/10", "000.p/20"} <= {str(path)[-8:] for path in (log_in(folder) / "tile/0").rglob("*")}
    publish(store, grow_to(256))
    assert files_in(log_in(folder)).keys() == {"checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"}


def test_a_checkpoint_of_an_older_head_does_not_take_the_place_of_a_newer(store: DirectoryStore, folder: Path) -> None:
    old, new = grow_to(5), grow_to(9)
    publish(store, new)
    assert publish(store, old) == 0
    assert_verifies(log_in(folder), 9)


def test_a_token_lies_beside_the_checkpoint_that_it_is_about_and_no_other(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(5)
    publish(store, head)
    assert not (log_in(folder) / "checkpoint.tsr").exists()
    publish(store, head, b"token")
    assert (log_in(folder) / "checkpoint.tsr").read_bytes() == b"token"
    publish(store, grow_to(6))
    assert not (log_in(folder) / "checkpoint.tsr").exists()


def test_a_whole_comparison_brings_back_what_was_lost(store: DirectoryStore, folder: Path) -> None:
    head = grow_to(600)
    publish(store, head)
    complete = files_in(folder)
    for name in ("tile/0/000", "tile/entries/001"):
        (log_in(folder) / name).unlink()
    assert publish(store, head) == 0
    assert publish(store, head, is_whole=True) == 2
    assert files_in(folder) == complete


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(0, 9), max_size=5))
def test_killed_at_any_change_a_reader_finds_a_whole_log_and_the_next_run_completes_it(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    store = DirectoryStore(folder)
    newest = Log.objects.first()
    publish(store, grow_to(250 if newest is None else newest.end))
    published = checkpoint_size(folder)
    for n_changes in kills:
        head = grow_to(SignedCheckpoint.objects.latest("end").end + 5)
        mortal = Mortal(store, n_changes)
        try:
            publish(mortal, head)
        except Killed:
            assert checkpoint_size(folder) == published
        published = checkpoint_size(folder)
        assert_verifies(log_in(folder), published)
    last = SignedCheckpoint.objects.latest("end")
    publish(store, last)
    assert_verifies(log_in(folder), last.size)
    assert n_accounted_for(log_in(folder)) == last.size


def n_accounted_for(path: Path) -> int:
    """The entries of a log in which no file is one too many: a killed publisher must leave none."""
    note = LogFolder(path).checkpoint()
    return len(read_whole(1, path, note, checkpoint.open_note(note, [notes.vkey_of(note)])).leaves)


def checkpoint_size(folder: Path) -> int:
    return checkpoint.parse_body(checkpoint.split_note(LogFolder(log_in(folder)).checkpoint())[0]).size
