"""The guard file: whole or not at all, one highest head a log, and nothing that looks like something else."""

import threading
from pathlib import Path

import pytest

from compliance.ledger.guard import Guard, GuardError, SignedHead


def head(origin: str, size: int) -> SignedHead:
    return SignedHead(origin=origin, size=size, root_sha256=f"{size:064x}", note=b"note \xff of %d" % size)


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
        path.with_suffix(".new").mkdir()
        with pytest.raises(GuardError, match="cannot be written"):
            guard.remember(head("a", 1))
        path.mkdir()
        with pytest.raises(GuardError, match="cannot be read"):
            guard.heads()


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
        path.with_suffix(".new").write_bytes(b"half a")
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
