"""The command `consistency`: a checkpoint that was kept, and the log as it is now."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, cosignature, merkle, tile_files, tiles, trust
from compliance.evidence.__main__ import main
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import ExitCode

ORIGIN = "example.org/log/2026"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.vkey(ORIGIN, KEY.public_key())
AT = datetime(2026, 5, 1, tzinfo=UTC)
LEAVES = [b"%d" % number for number in range(600)]
OTHERS = [b"another", *LEAVES[1:]]


def note_of(leaves: list[bytes], key: Ed25519PrivateKey = KEY) -> bytes:
    return checkpoint.sign(
        Checkpoint(ORIGIN, len(leaves), merkle.root_of([merkle.leaf_hash(leaf) for leaf in leaves])), ORIGIN, key
    )


def lay_out(folder: Path, leaves: list[bytes], note: bytes) -> Path:
    built = tiles.append(0, [merkle.leaf_hash(leaf) for leaf in leaves], lambda level, index: b"")
    for (level, index), content in built.items():
        path = folder / tile_files.tile_path(level, index, len(content) // merkle.HASH_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "checkpoint").write_bytes(note)
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.write_bytes(note_of(LEAVES[:300]))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "log", LEAVES, note_of(LEAVES))


def run(*arguments: object) -> int:
    return main(["consistency", *map(str, arguments)])


# --- Refusals ----------------------------------------------------------------------------------------------------


def test_it_refuses_to_take_a_key_on_trust(old: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(old, log) == ExitCode.UNREADABLE
    assert "--log-vkey" in capsys.readouterr().err


def test_it_refuses_a_log_whose_past_was_rewritten(tmp_path: Path, old: Path) -> None:
    rewritten = lay_out(tmp_path / "rewritten", OTHERS, note_of(OTHERS))
    assert run(old, rewritten, "--log-vkey", VKEY) == ExitCode.CONSISTENCY


def test_it_refuses_a_log_that_was_shortened(tmp_path: Path, old: Path) -> None:
    shortened = lay_out(tmp_path / "shortened", LEAVES[:299], note_of(LEAVES[:299]))
    assert run(old, shortened, "--log-vkey", VKEY) == ExitCode.CONSISTENCY


def test_it_refuses_tiles_that_are_not_those_of_the_checkpoint(tmp_path: Path, old: Path) -> None:
    mixed = lay_out(tmp_path / "mixed", OTHERS, note_of(LEAVES))
    assert run(old, mixed, "--log-vkey", VKEY) == ExitCode.CONSISTENCY


def test_it_refuses_a_checkpoint_of_another_key(tmp_path: Path, old: Path, log: Path) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    foreign = tmp_path / "foreign"
    foreign.write_bytes(note_of(LEAVES[:300], stranger))
    assert run(foreign, log, "--log-vkey", VKEY) == ExitCode.CHECKPOINT_KEY
    (log / "checkpoint").write_bytes(note_of(LEAVES, stranger))
    assert run(old, log, "--log-vkey", VKEY) == ExitCode.CHECKPOINT_KEY


def test_it_refuses_a_folder_that_holds_no_log(old: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(old, tmp_path / "empty", "--log-vkey", VKEY) == ExitCode.LOG_CONTENT


def test_it_refuses_a_proof_from_another_size(tmp_path: Path, old: Path, log: Path) -> None:
    older = tmp_path / "older"
    older.write_bytes(note_of(LEAVES[:299]))
    assert run(older, log, "--log-vkey", VKEY, "--write-proof", tmp_path / "proof") == ExitCode.VERIFIED
    assert run(old, tmp_path / "proof", "--log-vkey", VKEY) == ExitCode.CONSISTENCY


def test_it_refuses_to_replace_a_file_with_the_proof(old: Path, log: Path) -> None:
    before = old.read_bytes()
    assert run(old, log, "--log-vkey", VKEY, "--write-proof", old) == ExitCode.UNREADABLE
    assert old.read_bytes() == before


def test_it_refuses_a_newer_checkpoint_without_the_quorum(tmp_path: Path, old: Path, log: Path) -> None:
    assert run(old, log, "--trust", trusting_a_witness(tmp_path)) == ExitCode.CHECKPOINT_UNWITNESSED


# --- What it tells -----------------------------------------------------------------------------------------------

WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def trusting_a_witness(folder: Path) -> Path:
    vkey = cosignature.vkey("w.example", WITNESS.public_key())
    policy = f"log {VKEY}\nwitness w {vkey}\nquorum w\n"
    path = folder / "trust.json"
    path.write_bytes(trust.write(trust.Trust(trust.of_keys([VKEY], []).issued_at, (VKEY,), (), (), policy)))
    return path


def test_a_log_that_only_grew_is_verified_from_its_tiles(
    old: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(old, log, "--log-vkey", VKEY) == ExitCode.VERIFIED
    out = capsys.readouterr().out
    assert "only grew" in out
    assert "300 came after" in out
    assert "UNWITNESSED" in out


def test_the_proof_convinces_others_without_the_log(
    tmp_path: Path, old: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(old, log, "--log-vkey", VKEY, "--write-proof", tmp_path / "proof", "--json") == ExitCode.VERIFIED
    from_log = json.loads(capsys.readouterr().out)
    assert run(old, tmp_path / "proof", "--log-vkey", VKEY, "--json") == ExitCode.VERIFIED
    assert json.loads(capsys.readouterr().out) == from_log
    assert (from_log["old_size"], from_log["new_size"]) == (300, 600)


def test_cosignatures_of_the_newer_checkpoint_are_told(
    tmp_path: Path, old: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = (log / "checkpoint").read_bytes()
    line = cosignature.cosign(note, "w.example", WITNESS, AT)
    (log / "checkpoint").write_bytes(note + line)
    assert run(old, log, "--trust", trusting_a_witness(tmp_path)) == ExitCode.VERIFIED
    assert "cosigned by w" in capsys.readouterr().out
