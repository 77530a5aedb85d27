"""The guard file: whole or not at all, one highest head a log, and nothing that looks like something else."""

import threading
from pathlib import Path

import pytest

from compliance.ledger.guard import Guard, GuardError, GuardNotWrittenError, SignedHead


def head(origin: str, size: int) -> SignedHead:
    return SignedHead(origin=origin, size=size, root_sha256=f"{size:064x}", note=b"note \xff of %d" % size)


def line(origin: str = '"a"', size: str = "7", root: str = f'"{7:064x}"') -> bytes:
    return f'{{"note":"AA==","origin":{origin},"root_sha256":{root},"size":{size}}}\n'.encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "checkpoints.guard"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"no json\n", id="no JSON"),
        pytest.param(b"[]\n", id="a list"),
        pytest.param(b'{"origin":"a","size":1,"root_sha256":"00"}\n', id="no note"),
        pytest.param(b'{"note":"!","origin":"a","root_sha256":"00","size":1}\n', id="no base64"),
        pytest.param(b'{"note":"AA==","origin":"a","root', id="half a line"),
        pytest.param(line(size='"7"'), id="a size that is text"),
        pytest.param(line(size="7.0"), id="a size that is no whole number"),
        pytest.param(line(size="true"), id="a size that is a truth value"),
        pytest.param(line(size="0"), id="a size of nothing"),
        pytest.param(line(origin="7"), id="an origin that is no text"),
        pytest.param(line(root='"00"'), id="a root that is too short"),
        pytest.param(line(root="null"), id="no root"),
    ],
)
def test_it_refuses_a_file_that_is_no_guard(path: Path, content: bytes) -> None:
    guard = Guard(path)
    with guard.locked():
        path.write_bytes(content)
        with pytest.raises(GuardError, match="none of a guard's"):
            guard.heads()
        with pytest.raises(GuardError):
            guard.remember(head("a", 1))
    assert path.read_bytes() == content


def test_it_refuses_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GuardError, match="cannot be locked"), Guard(tmp_path / "file" / "guard").locked():
        pass
    path = tmp_path / "guard"
    guard = Guard(path)
    with guard.locked():
        (tmp_path / "guard.new").mkdir()
        with pytest.raises(GuardNotWrittenError, match="cannot be written"):
            guard.remember(head("a", 1))
        path.mkdir()
        with pytest.raises(GuardError, match="cannot be read"):
            guard.heads()


def test_it_refuses_two_heads_of_one_size(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(line() + line(root=f'"{8:064x}"'))
    with pytest.raises(GuardError, match="signed twice"):
        Guard(path).heads()
    path.write_bytes(line())
    with pytest.raises(GuardError, match="signed twice"):
        Guard(path).remember(SignedHead("a", 7, f"{8:064x}", b"note"))
    assert path.read_bytes() == line()


@pytest.mark.parametrize("sizes", [(3, 7), (7, 3), (7, 3, 7)])
def test_of_several_lines_of_a_log_the_highest_counts(path: Path, sizes: tuple[int, ...]) -> None:
    path.parent.mkdir()
    path.write_bytes(b"".join(line(size=str(size), root=f'"{size:064x}"') for size in sizes))
    assert {origin: head.size for origin, head in Guard(path).heads().items()} == {"a": 7}
    Guard(path).remember(head("a", 5))
    assert Guard(path).heads()["a"].size == 7, "a lower head does not take the place of a higher one"


def test_a_link_stays_and_the_file_behind_it_is_the_guard(tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    (tmp_path / "guard").symlink_to(tmp_path / "safe" / "heads")
    guard = Guard(tmp_path / "guard")
    with guard.locked():
        guard.remember(head("a", 1))
    assert (tmp_path / "guard").is_symlink()
    assert (tmp_path / "safe" / "heads").read_bytes() == (tmp_path / "guard").read_bytes() != b""
    assert sorted(each.name for each in (tmp_path / "safe").iterdir()) == ["heads", "heads.lock"]


@pytest.mark.parametrize("name", ["x", "x.new", "x.lock", ".lock"])
def test_a_guard_of_any_name_keeps_apart_from_its_own_files(tmp_path: Path, name: str) -> None:
    guard = Guard(tmp_path / name)
    for size in (1, 2):
        with guard.locked():
            guard.remember(head("a", size))
    assert Guard(tmp_path / name).heads() == {"a": head("a", 2)}
    assert sorted(each.name for each in tmp_path.iterdir()) == [name, f"{name}.lock"]


def test_it_remembers_the_last_head_of_each_log(path: Path) -> None:
    guard = Guard(path)
    with guard.locked():
        assert guard.heads() == {}
        for each in (head("a", 1), head("b", 7), head("a", 3)):
            guard.remember(each)
    with Guard(path).locked():
        assert Guard(path).heads() == {"a": head("a", 3), "b": head("b", 7)}
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_is_not_read(path: Path) -> None:
    guard = Guard(path)
    with guard.locked():
        guard.remember(head("a", 1))
        path.with_name(f"{path.name}.new").write_bytes(b"half a")
        assert guard.heads() == {"a": head("a", 1)}
        guard.remember(head("a", 2))
        assert guard.heads() == {"a": head("a", 2)}


def test_one_holder_waits_for_the_other(path: Path) -> None:
    entered, order = threading.Event(), list[str]()

    def second() -> None:
        entered.set()
        with Guard(path).locked():
            order.append("second")

    thread = threading.Thread(target=second)
    with Guard(path).locked():
        thread.start()
        entered.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
