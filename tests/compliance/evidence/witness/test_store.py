"""The folder: what is refused of it, and that nothing is told before it is on the disk."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, cosignature
from compliance.evidence.checkpoint import VerifierKey
from compliance.evidence.errors import CheckpointKeyError, CheckpointMalformedError
from compliance.evidence.witness import store
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.store import State, StateFolderError, Store, origin_sha256

from .conftest import NAME
from .history import ORIGIN, History

LOG_FILE = f"{origin_sha256(ORIGIN)}.json"


@pytest.fixture
def cosigned(folder: Path, vkey: VerifierKey, log: History) -> Path:
    """A folder that holds a checkpoint of size 5."""
    with Store.open(folder) as opened:
        assert Cosigner(opened).add_checkpoint(log.request(0, 5)).status == 200
    assert vkey.name == NAME
    return folder


def other_key(folder: Path) -> None:
    (folder / "witness.vkey").write_text(cosignature.vkey(NAME, Ed25519PrivateKey.generate().public_key()) + "\n")


def changed(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "logs" / LOG_FILE
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def without_own_line(folder: Path) -> None:
    path = folder / "logs" / LOG_FILE
    record = canonical.loads(path.read_bytes())
    record["note"] = record["note"].split(f"— {NAME}")[0]
    path.write_bytes(canonical.dumps(record))


def renamed(folder: Path) -> None:
    (folder / "logs" / LOG_FILE).rename(folder / "logs" / f"{'0' * 64}.json")


DAMAGE = [
    pytest.param(lambda folder: (folder / "witness.key").unlink(), "no key file", id="no key"),
    pytest.param(lambda folder: (folder / "witness.vkey").unlink(), "no folder of a witness", id="no vkey"),
    pytest.param(lambda folder: (folder / "witness.vkey").write_bytes(b"\xff"), "damaged", id="a vkey of other bytes"),
    pytest.param(other_key, "damaged", id="another vkey"),
    pytest.param(lambda folder: (folder / "witness.key").chmod(0o640), "chmod 600", id="a key for the group"),
    pytest.param(lambda folder: (folder / "witness.key").write_text("x"), "PEM", id="no key in the key file"),
    pytest.param(lambda folder: (folder / "logs" / LOG_FILE).write_text("{}"), "damaged", id="an empty log file"),
    pytest.param(lambda folder: (folder / "logs" / LOG_FILE).write_text("{"), "damaged", id="a torn log file"),
    pytest.param(changed('"format"', ' "format"'), "damaged", id="another spelling"),
    pytest.param(changed("-log/1", "-log/2"), "damaged", id="another format"),
    pytest.param(changed("\\n5\\n", "\\n4\\n"), "damaged", id="a smaller size"),
    pytest.param(without_own_line, "did not cosign", id="a note that was not cosigned"),
    pytest.param(renamed, "another log", id="the file of another log"),
    pytest.param(lambda folder: (folder / "logs" / LOG_FILE).unlink(), "is missing", id="no file of a log"),
    pytest.param(lambda folder: (folder / "watched").unlink(), "no folder of a witness", id="no list of logs"),
    pytest.param(lambda folder: (folder / "watched").write_text(ORIGIN), "no.* list of", id="a torn list of logs"),
    pytest.param(
        lambda folder: (folder / "watched").write_text("a\na\n"), "no.* list of", id="a log twice in the list"
    ),
    pytest.param(lambda folder: (folder / "watched").write_text("\n"), "no.* list of", id="an empty line in the list"),
    pytest.param(lambda folder: (folder / "watched").write_bytes(b"\xff\n"), "damaged", id="a list of other bytes"),
    pytest.param(
        lambda folder: (folder / "logs" / LOG_FILE).write_bytes(b"0" * 2_000_000), "damaged", id="a huge file"
    ),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_a_damaged_folder_is_not_served(cosigned: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(cosigned)
    with pytest.raises(StateFolderError, match=message), Store.open(cosigned):
        pass


def test_a_folder_that_lost_what_it_knew_of_a_log_signs_no_second_history(cosigned: Path, log: History) -> None:
    (cosigned / "logs" / LOG_FILE).unlink()
    for use in (lambda: State.read(cosigned), lambda: Store.open(cosigned).__enter__()):
        with pytest.raises(StateFolderError, match=f"log {ORIGIN} is missing. Do not restore an old copy"):
            use()
    # Nor does adding the log anew: it is the command that an operator would try.
    with pytest.raises(StateFolderError, match="is missing"), Store.open(cosigned) as opened:
        opened.add_log(log.vkey)


def test_a_log_that_was_added_when_the_process_was_killed_is_watched_from_the_next_start_on(
    folder: Path, vkey: VerifierKey
) -> None:
    """Its file is there and its line is not yet; nothing was signed."""
    assert (folder / "watched").read_text() == f"{ORIGIN}\n"
    (folder / "watched").write_text("")
    with Store.open(folder) as opened:
        assert (list(opened.logs), opened.vkey) == ([ORIGIN], vkey)
    assert (folder / "watched").read_text() == f"{ORIGIN}\n"


def test_the_list_of_watched_logs_only_grows(cosigned: Path) -> None:
    second = History(origin="ledger.example/2025")
    with Store.open(cosigned) as opened:
        opened.add_log(second.vkey)
        opened.add_log(second.vkey)
    assert (cosigned / "watched").read_text() == f"{ORIGIN}\n{second.origin}\n"
    assert State.read(cosigned).watched == (ORIGIN, second.origin)


@pytest.mark.parametrize("place", ["nowhere", "a file"])
def test_what_is_no_folder_of_a_witness_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(StateFolderError, match="no folder of a witness"), Store.open(tmp_path / place):
        pass


def test_one_folder_has_one_process(folder: Path, opened: Store) -> None:
    assert opened.logs
    with pytest.raises(StateFolderError, match="Another process"), Store.open(folder):
        pass
    program = f"from compliance.evidence.witness.store import *\nwith Store.open(Path({str(folder)!r})): pass"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Another process" in done.stderr


def test_the_lock_is_gone_when_the_folder_is_closed(folder: Path, vkey: VerifierKey) -> None:
    for _ in range(2):
        with Store.open(folder) as opened:
            assert opened.vkey == vkey


def test_a_folder_is_never_made_over_another(cosigned: Path) -> None:
    key = (cosigned / "witness.key").read_bytes()
    with pytest.raises(StateFolderError, match="Name a new folder"):
        store.create(cosigned, NAME)
    assert (cosigned / "witness.key").read_bytes() == key
    assert sorted(path.name for path in cosigned.parent.iterdir()) == ["witness"]


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_note_can_carry_makes_no_folder(folder: Path, name: str) -> None:
    with pytest.raises(CheckpointMalformedError):
        store.create(folder, name)
    assert not list(folder.parent.iterdir())


def test_a_new_folder_is_its_owners_alone(folder: Path, vkey: VerifierKey) -> None:
    assert (folder / "witness.vkey").read_text() == f"{vkey}\n"
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_cosigners_key_is_not_watched(opened: Store) -> None:
    with pytest.raises(CheckpointKeyError, match="0x01"):
        opened.add_log(str(opened.vkey))
    assert list(opened.logs) == [ORIGIN]


def test_a_further_key_of_a_log_leaves_its_checkpoint_alone(cosigned: Path, log: History) -> None:
    second = History()
    with Store.open(cosigned) as opened:
        note = opened.logs[ORIGIN].note
        assert opened.add_log(second.vkey).vkeys == (log.vkey, second.vkey)
        assert opened.add_log(log.vkey).vkeys == (log.vkey, second.vkey)
        assert opened.logs[ORIGIN].note == note is not None
    assert State.read(cosigned).logs[ORIGIN].vkeys == (log.vkey, second.vkey)


def test_what_was_saved_is_read_again(cosigned: Path, log: History) -> None:
    known = State.read(cosigned).logs[ORIGIN]
    assert known.head == log.head(5)
    assert known.note is not None and known.note.startswith(log.note(5))


def test_leftovers_of_a_killed_process_are_no_logs(cosigned: Path) -> None:
    (cosigned / "logs" / f".{LOG_FILE}.new").write_text("half a fi")
    with Store.open(cosigned) as opened:
        assert opened.logs[ORIGIN].head.size == 5


def test_the_bytes_are_forced_to_the_disk_before_their_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real calls, noted down: a name that is there before its bytes would be an empty file after a power cut."""
    calls: list[str] = []
    fsync, rename = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        calls.append("fsync of the folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync of the file")
        fsync(descriptor)

    def noted_replace(source: str, target: str) -> None:
        calls.append("replace")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    store.replace_file(tmp_path / "file", b"bytes")
    assert calls == ["fsync of the file", "replace", "fsync of the folder"]
    assert (tmp_path / "file").read_bytes() == b"bytes"
